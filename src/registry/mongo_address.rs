//! The address of a MongoDB database as configured. It may hold a password, so nothing here shows more than its kind.

use std::fmt;

/// An address that begins with `mongodb:` or `mongodb+srv:`.
#[derive(Clone, PartialEq, Eq)]
pub struct MongoAddress {
    text: String,
}

impl MongoAddress {
    /// Takes an address of this kind, and the value of the option `tracked`, which is ours and not the driver's. Whether the
    /// rest can be understood is found out when it is opened.
    pub fn parse(address: &str) -> Option<(Self, Option<bool>)> {
        let is_ours = ["mongodb:", "mongodb+srv:"].iter().any(|scheme| address.starts_with(scheme));
        let (place, query) = address.split_once('?').unwrap_or((address, ""));
        let (ours, theirs): (Vec<&str>, Vec<&str>) =
            query.split('&').filter(|option| !option.is_empty()).partition(|option| is_tracked(option).is_some());
        let tracked = ours.last().and_then(|option| is_tracked(option));
        let text = if theirs.is_empty() { place.to_owned() } else { format!("{place}?{}", theirs.join("&")) };
        is_ours.then_some((Self { text }, tracked))
    }

    /// For the driver; with the password, so it must not be shown.
    #[cfg(feature = "mongodb")]
    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    /// The error of a program that was built without MongoDB.
    #[cfg(not(feature = "mongodb"))]
    pub(super) fn not_built(&self) -> super::RegistryError {
        let why = "this build cannot read it; it lacks the feature `mongodb`".into();
        super::RegistryError::Unreachable { source_name: "mongodb:".into(), why }
    }
}

fn is_tracked(option: &str) -> Option<bool> {
    option.strip_prefix("tracked=")?.parse().ok()
}

impl fmt::Debug for MongoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mongodb:(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<(&str, Option<bool>)>) {
        let found = MongoAddress::parse(address);
        assert_eq!(found.as_ref().map(|(address, tracked)| (address.text.as_str(), *tracked)), expected, "{address}");
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }

    #[test]
    fn an_option_of_ours_is_not_handed_to_the_driver() {
        check("mongodb://me:hunter2@host/app", Some(("mongodb://me:hunter2@host/app", None)));
        check("mongodb+srv://host/app?tracked=false", Some(("mongodb+srv://host/app", Some(false))));
        check("mongodb://host/app?tls=true&tracked=true&w=1", Some(("mongodb://host/app?tls=true&w=1", Some(true))));
        check("postgres://me:hunter2@host/app", None);
        check("mongodb.json", None);
    }
}
