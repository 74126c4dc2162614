use super::*;
use crate::digest::{Algorithm, Hex};

/// The list of `ViGEmBus`, which Microsoft's tools made and Microsoft signed in December 2020.
fn vigembus() -> Catalog {
    let member = |file: &str, kind, algorithm, digest| Member {
        file: Some(file.to_owned()),
        kind,
        algorithm,
        digest: bytes(digest),
    };
    let (inf, sys) = ("vigembus.inf", "vigembus.sys");
    let attributes = [
        (
            "Submission ID",
            "31762980_14061327399101671_1152921505692703783",
        ),
        ("BundleID", "ViGEmBus_x64"),
        ("Universal", "True"),
        ("Declarative", "True"),
        (
            "OS",
            "_v100_X64,_v100_X64_RS1,_v100_X64_RS2,_v100_X64_RS3,_v100_X64_RS4,_v100_X64_RS5,\
             _v100_X64_19H1,_v100_X64_Vb",
        ),
        ("HWID1", r"nefarius\vigembus\gen1"),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Catalog {
        identifier: bytes("CA9FE82237817541AE8B349069CA96D2"),
        time: DateTime::new(2020, 12, 14, 14, 42, 45).unwrap(),
        members: vec![
            member(
                inf,
                Kind::File,
                Algorithm::Sha1,
                "167B62BFD7471179CF68CB5B2F83C8365EDF4875",
            ),
            member(
                inf,
                Kind::File,
                Algorithm::Sha256,
                "634B032A33CECBF2E43C46C5896A3C359CDDA452C632DA6396452419FFA301D6",
            ),
            member(
                sys,
                Kind::Image,
                Algorithm::Sha256,
                "E5E75F5242939F29A885F210F63E465C12A38D6353C85EF56E128A4F4FBFDE14",
            ),
            member(
                sys,
                Kind::Image,
                Algorithm::Sha1,
                "EA9CF44F9385D87BBE412F5D44A0A9520A1AF4CB",
            ),
        ],
        attributes: attributes.to_vec(),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

#[test]
fn the_list_of_a_public_driver_is_encoded_byte_for_byte() {
    let der = vigembus().to_der().unwrap();
    assert_eq!(der.len(), 1608);
    assert_eq!(
        Hex(&sha256(&der)).to_string(),
        "733E47CC19F7F02561CDDE19D82DA1558D5CDB9F748279C76A332E71D45282E1"
    );
}

#[test]
fn the_list_of_a_public_driver_is_read() {
    let content = list::encode(&vigembus()).unwrap();
    assert_eq!(list::decode(&content).unwrap(), vigembus());
}

#[test]
fn the_identifier_follows_from_the_members_and_the_time() {
    let time = |day| DateTime::new(2026, 1, day, 0, 0, 0).unwrap();
    let catalog = |members: &[Member], day| {
        Catalog::new(Arch::Amd64, &[], members.to_vec(), time(day)).identifier
    };
    let members = vigembus().members;
    let mut shuffled = members.clone();
    shuffled.reverse();
    assert_eq!(catalog(&members, 1), catalog(&shuffled, 1));
    assert_ne!(catalog(&members, 1), catalog(&members, 2));
    assert_ne!(catalog(&members, 1), catalog(&members[1..], 1));
}
