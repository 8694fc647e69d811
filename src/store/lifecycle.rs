//! The lifecycle rules of a bucket, each kept as the store wrote it, so that rules that this program does not know survive
//! it to the byte (AmazonS3 API_PutBucketLifecycleConfiguration replaces all rules at once).

/// A rule: its XML element, exactly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LifecycleRule {
    element: String,
}

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

impl LifecycleRule {
    /// A rule that deletes what begins with `prefix` so many days after it was written. Neither text may need escaping.
    pub fn expire(id: &str, prefix: &str, days: u32) -> Self {
        Self {
            element: format!(
                "<Rule><ID>{id}</ID><Filter><Prefix>{prefix}</Prefix></Filter><Status>Enabled</Status>\
                 <Expiration><Days>{days}</Days></Expiration></Rule>"
            ),
        }
    }

    /// The element as it stands in the document.
    pub fn element(&self) -> &str {
        &self.element
    }

    /// The rule's name; empty if it has none.
    pub fn id(&self) -> &str {
        inner(&self.element, "ID").unwrap_or_default()
    }

    /// Whether it says the same as another one, however it is written.
    pub fn means(&self, other: &Self) -> bool {
        self.leaves() == other.leaves()
    }

    /// Every text with the element that it stands in, in one order.
    fn leaves(&self) -> Vec<(&str, &str)> {
        let parts = self.element.split('<').filter_map(|part| part.split_once('>'));
        let mut leaves: Vec<_> =
            parts.map(|(name, text)| (name, text.trim())).filter(|(_, text)| !text.is_empty()).collect();
        leaves.sort_unstable();
        leaves
    }
}

/// The text between the first `<name>` and its end.
fn inner<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner.trim())
}

/// Reads a document of rules.
///
/// # Errors
/// What about it is not as S3 writes it; nothing of it may be written back then.
pub fn read(document: &str) -> Result<Vec<LifecycleRule>, String> {
    if ["<!", "<?xml-"].iter().any(|odd| document.contains(odd)) {
        return Err("it has comments or declarations".into());
    }
    let (_, rest) = document.split_once("<LifecycleConfiguration").ok_or("it is no LifecycleConfiguration")?;
    let (attributes, mut rest) = rest.split_once('>').ok_or("it is cut off")?;
    if attributes.trim_end().ends_with('/') && rest.trim().is_empty() {
        return Ok(Vec::new());
    }
    if attributes.matches('=').count() > 1 || (attributes.contains('=') && !attributes.contains(NAMESPACE)) {
        return Err("it has attributes that are not known".into());
    }
    let mut rules = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("</LifecycleConfiguration>") {
            return if after.trim().is_empty() { Ok(rules) } else { Err("there is something behind it".into()) };
        }
        if !rest.starts_with("<Rule>") {
            return Err("there is something beside its rules".into());
        }
        let end = rest.find("</Rule>").ok_or("a rule is cut off")? + "</Rule>".len();
        rules.push(LifecycleRule { element: rest[..end].to_owned() });
        rest = &rest[end..];
    }
}

/// The document of these rules.
pub fn write(rules: &[LifecycleRule]) -> String {
    let rules: String = rules.iter().map(LifecycleRule::element).collect();
    format!("<LifecycleConfiguration xmlns=\"{NAMESPACE}\">{rules}</LifecycleConfiguration>")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str =
        "<Rule><ID>a &amp; b</ID><Status>Enabled</Status><NewThing><Deep>1</Deep></NewThing>\n<Prefix/></Rule>";

    #[test]
    fn rules_that_are_not_known_survive_to_the_byte() {
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
        let own = LifecycleRule::expire("mine", "x/", 3);
        let document = format!("{head}\n  {OTHER}{}\n</LifecycleConfiguration>\n", own.element());
        let rules = read(&document).expect("rules");
        assert_eq!((rules.len(), rules[0].element(), rules[0].id(), rules[1].id()), (2, OTHER, "a &amp; b", "mine"));
        assert_eq!(read(&write(&rules)), Ok(rules));
        assert_eq!(read(&format!("{head}</LifecycleConfiguration>")), Ok(Vec::new()));
        assert_eq!(read("<LifecycleConfiguration/>"), Ok(Vec::new()));
    }

    #[test]
    fn a_document_that_is_odd_is_never_written_back() {
        for odd in [
            "",
            "<Error/>",
            "<LifecycleConfiguration><Rule><ID>a</ID>",
            "<LifecycleConfiguration><Rule></Rule><Other/></LifecycleConfiguration>",
            "<LifecycleConfiguration><!-- --><Rule></Rule></LifecycleConfiguration>",
            "<LifecycleConfiguration><Rule><!--</Rule><Rule>--></Rule></LifecycleConfiguration>",
            "<LifecycleConfiguration a=\"b\" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LifecycleConfiguration>",
            "<LifecycleConfiguration></LifecycleConfiguration><Rule></Rule>",
        ] {
            assert!(read(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_order_of_elements_means_nothing() {
        let rule = LifecycleRule::expire("mine", "x/", 3);
        let moved = rule.element().replace("<ID>mine</ID>", "").replace("</Rule>", " <ID>mine</ID>\n</Rule>");
        assert!(rule.means(&LifecycleRule { element: moved }));
        assert!(!rule.means(&LifecycleRule::expire("mine", "x/", 4)));
        assert!(!rule.means(&LifecycleRule::expire("mine", "y/", 3)));
    }
}
