//! The OVF environment that vSphere delivers (transport `com.vmware.guestInfo`).

use std::collections::BTreeMap;

/// The properties of an OVF environment by their full key: `network.management_ip`.
pub(crate) fn properties(xml: &str) -> Result<BTreeMap<String, String>, String> {
    let document = roxmltree::Document::parse(xml).map_err(|error| error.to_string())?;
    // The attributes are in the environment's namespace, whatever its prefix; some writers leave the prefix out.
    let attribute = |node: roxmltree::Node<'_, '_>, name: &str| {
        node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value().to_owned())
    };
    let nodes = document.descendants().filter(|node| node.tag_name().name() == "Property");
    let pair = |node| Some((attribute(node, "key")?, attribute(node, "value").unwrap_or_default()));
    Ok(nodes.filter_map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_whatever_the_prefix() {
        let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
            <Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:oe="http://schemas.dmtf.org/ovf/environment/1">
              <PropertySection>
                <Property oe:key="network.hostname" oe:value="a &amp; b&#10;c"/>
                <Property key="empty"/>
              </PropertySection>
            </Environment>"#;
        let found = properties(xml).unwrap();
        assert_eq!(found["network.hostname"], "a & b\nc");
        assert_eq!(found["empty"], "");
        assert!(properties("<Environment>").is_err());
    }
}
