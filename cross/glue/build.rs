//! Links the package as a driver.

fn main() -> Result<(), wdk_build::ConfigError> {
    println!("cargo::rustc-link-arg-cdylib=netio.lib");
    // Microsoft's linker computes the checksum of a driver by itself.
    println!("cargo::rustc-link-arg-cdylib=/RELEASE");
    wdk_build::configure_wdk_binary_build()
}
