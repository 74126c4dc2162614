//! The two settings in which the registrar is measured.

use nmr_host::{Policy, Registrar, Verify};

/// How much the registrar watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// Nothing that is not needed: no record, and no rule that needs extra checks.
    Off,
    /// What a test gets that asks for nothing: everything that is on by default, and the record.
    Tests,
}

impl Setting {
    /// A registrar with this setting.
    #[must_use]
    pub fn registrar(self) -> Registrar {
        match self {
            Self::Off => {
                let registrar = Registrar::new(Policy {
                    verify: Verify::Light,
                    ..Policy::default()
                });
                registrar.set_recording(false);
                registrar
            }
            Self::Tests => Registrar::new(Policy::default()),
        }
    }
}
