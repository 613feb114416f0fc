//! SOAP: reading requests and writing answers.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod name;
mod scan;
pub(crate) mod tree;
pub(crate) mod xml;
