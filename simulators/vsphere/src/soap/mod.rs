//! SOAP: reading requests and writing answers.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod xml;
