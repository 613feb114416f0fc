//! What must hold of the reader and the writer of SOAP messages.

use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::envelope::{answer, request};

/// A message reads or says why not, and an element that reads can be sent, and reads as the same.
pub fn envelope(bytes: &[u8]) {
    let Ok(Ok(read)) = answer(bytes) else { return };
    let this = ManagedObject::new("VirtualMachine", "vm-1");
    let sent = request("Method", &this, std::slice::from_ref(&read)).expect("what XML said, XML can say");
    let again = answer(&sent).expect("what was sent reads").expect("it is no fault");
    assert_eq!(again.children.len(), 2);
    assert_eq!(plain(&again.children[1]), plain(&read));
}

/// An element without what its writer leaves out: text beside children, and prefixes of types.
fn plain(element: &Element) -> Element {
    Element { kind: None, children: element.children.iter().map(plain).collect(), ..element.clone() }
}
