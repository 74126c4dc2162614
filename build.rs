//! Configures the link of the driver on a Windows machine; does nothing elsewhere.

#[cfg(not(windows))]
fn main() {}

#[cfg(windows)]
fn main() -> Result<(), wdk_build::ConfigError> {
    // nmr-sys declares the functions of the NMR and leaves the library to who links: a program
    // takes nmr-host, and the driver takes netio.
    println!("cargo::rustc-link-arg-cdylib=netio.lib");
    // Without a checksum Windows rejects a driver. Microsoft's linker always adds it, LLVM's not.
    println!("cargo::rustc-link-arg-cdylib=/RELEASE");
    wdk_build::configure_wdk_binary_build()
}
