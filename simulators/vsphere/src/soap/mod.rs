//! SOAP: reading requests and writing answers.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod name;
pub(crate) mod xml;
