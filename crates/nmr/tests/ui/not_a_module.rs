//! Only a module of some interface can be registered.

struct Adder;

fn main() {
    let _ = nmr::Registration::<nmr::Client<exnpi::Exnpi>, _>::new(Adder);
}
