//! The program-information interface of eBPF for Windows, described from its published headers: how to
//! declare an interface that one does not own, whose only content is data that grow with their version.
//!
//! **It has not met the real one.** The types are compared with the headers by hand and by assertions
//! of their layout; the providers here are stand-ins, and so is the client, which does of ebpfcore's
//! work what concerns the interface.
//!
//! Run it with `cargo run -p wdk-nmr --example ebpf_program_info`.

mod interface;

use std::sync::Mutex;

use interface::{
    PROGRAM_DATA_SIZES, ProgramData, ProgramDataBase, ProgramInfo, ProgramInfoNpi,
    ProgramInfoOffer, ProgramType,
};
use nmr::{
    Client, Error, Guid, Identity, Lent, Module, Offer, Provider, Registration, Result, field,
};
use nmr_host::{Policy, Registrar};

/// The type of programs of the stand-ins. In this interface it is their module identifier too.
const SAMPLE: Guid = Guid::from_u128(0x4f1f_3bd0_6b5a_4f0e_8f1f_2a9d_7c1e_5b01);

static TYPE: ProgramType = ProgramType::new(c"sample", SAMPLE);
static INFO: ProgramInfo = ProgramInfo::new(&TYPE);

/// A stand-in for an extension: its data say how much of them there is.
struct Extension(ProgramData);

impl Module<Provider<ProgramInfoNpi>> for Extension {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(SAMPLE)
    }

    fn characteristics(&self) -> Option<Lent<'_, ProgramDataBase>> {
        Some(Lent::whole(&self.0))
    }

    fn attach(&self, _offer: Offer<'_, Provider<ProgramInfoNpi>>) -> Result<()> {
        Ok(())
    }
}

/// What the client keeps of a provider: copies, because the data are on loan.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Known {
    name: String,
    required_irql: u8,
    capabilities: Option<u32>,
}

/// A stand-in for ebpfcore.
#[derive(Default)]
struct Core(Mutex<Vec<Known>>);

impl Module<Client<ProgramInfoNpi>> for Core {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x4f1f_3bd0_6b5a_4f0e_8f1f_2a9d_7c1e_5b02))
    }

    fn attach(&self, offer: Offer<'_, Client<ProgramInfoNpi>>) -> Result<()> {
        let data = offer.program_data().ok_or(Error::INVALID_PARAMETER)?;
        let (name, _) = offer.program_type().ok_or(Error::INVALID_PARAMETER)?;
        let known = Known {
            name: name.to_string_lossy().into_owned(),
            required_irql: field!(data, ProgramData, required_irql)
                .ok_or(Error::INVALID_PARAMETER)?,
            capabilities: field!(data, ProgramData, capabilities),
        };
        println!("attached: {known:?}");
        self.0.lock().unwrap().push(known);
        Ok(())
    }
}

fn main() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();

    let core = Registration::new(Core::default()).expect("there is memory");
    let [old, new] = PROGRAM_DATA_SIZES;
    let extensions = [(1, old), (1, new), (1, 0), (1, old - 1), (2, new)]
        .map(|(version, size)| Extension(ProgramData::new(version, size, &INFO)))
        .map(|extension| Registration::new(extension).expect("there is memory"));
    // Two are as ebpfcore wants them, and the others are declined.
    let known = core.0.lock().unwrap().clone();
    let capabilities: Vec<_> = known.iter().map(|known| known.capabilities).collect();
    assert_eq!(capabilities, [None, Some(0)]);
    assert!(known.iter().all(|known| known.required_irql == 2));

    drop(extensions);
    drop(core);
    drop(entered);
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

#[test]
fn it_runs() {
    main();
}
