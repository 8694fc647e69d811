//! The address of a MongoDB server: what it may be called in public, what in it is secret, and what the driver is told.

use std::time::Duration;

use mongodb::options::{ClientOptions, ConnectionString, HostInfo};

use crate::registry::RegistryError;

/// How long to look for a server that can be used. The driver's own 30 seconds are long for somebody who mistyped a port.
const FINDING_A_SERVER: Duration = Duration::from_secs(5);

/// How long a name may take to be looked up.
const LOOKING_UP: Duration = Duration::from_secs(10);

/// An address that the driver understands. Has no `Debug`: it holds the password.
pub(super) struct Address {
    /// For a person: kind, hosts and database.
    pub(super) name: String,
    /// The database with the collections.
    pub(super) database: String,
    /// What must not be repeated, whoever says it.
    pub(super) secrets: Vec<String>,
    parsed: ConnectionString,
}

impl Address {
    /// Reads `mongodb://` and `mongodb+srv://`.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`], in our own words: the driver's may quote the part that it did not understand, which
    /// may be a part of the password.
    pub(super) fn parse(address: &str) -> Result<Self, RegistryError> {
        let scheme = if address.starts_with("mongodb+srv:") { "mongodb+srv:" } else { "mongodb:" };
        let refused = |why: String| RegistryError::Unreachable { source_name: scheme.into(), why };
        let parsed = ConnectionString::parse(address).map_err(|_| refused(not_understood(address)))?;
        let database = parsed
            .default_database
            .clone()
            .ok_or_else(|| refused(format!("it names no database; add it to the address: {scheme}//HOST/DATABASE")))?;
        let hosts = match &parsed.host_info {
            HostInfo::HostIdentifiers(hosts) => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            HostInfo::DnsRecord(host) => host.clone(),
            _ => String::new(),
        };
        Ok(Self { name: format!("mongodb: {hosts}/{database}"), database, secrets: secrets(address, &parsed), parsed })
    }

    /// What the driver is told; looks up the servers of a `mongodb+srv` address.
    ///
    /// # Errors
    /// What the driver says, or that the look-up took too long.
    pub(super) async fn options(&self) -> Result<ClientOptions, String> {
        let looking_up = ClientOptions::parse(self.parsed.clone());
        let looked_up = tokio::time::timeout(LOOKING_UP, looking_up).await;
        let mut options = match looked_up {
            Ok(options) => options.map_err(|error| error.kind.to_string())?,
            Err(_) => return Err(format!("its name was not found within {} s", LOOKING_UP.as_secs())),
        };
        options.server_selection_timeout.get_or_insert(FINDING_A_SERVER);
        options.connect_timeout.get_or_insert(FINDING_A_SERVER);
        options.app_name.get_or_insert_with(|| "bucketree".into());
        Ok(options)
    }
}

/// Every spelling of the password, and what options may hold beside it.
fn secrets(address: &str, parsed: &ConnectionString) -> Vec<String> {
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let written = place.rsplit_once('@').and_then(|(user, _)| user.splitn(3, ':').nth(2)).unwrap_or_default();
    let password = parsed.credential.as_ref().and_then(|credential| credential.password.clone());
    let options = query.split('&').filter_map(|option| option.split_once('=')).filter(|(name, _)| hides(name));
    let mut secrets: Vec<String> = options.map(|(_, value)| value.to_owned()).collect();
    secrets.extend([written.to_owned()].into_iter().chain(password));
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

/// Whether an option's value is a secret (mongodb.com/docs/manual/reference/connection-string-options).
fn hides(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    option.contains("password") || option.contains("mechanismproperties")
}

fn not_understood(address: &str) -> String {
    let without_options = address.split('?').next().unwrap_or_default();
    let form = "expected mongodb://[USER:PASSWORD@]HOST[:PORT]/DATABASE";
    if without_options != address && ConnectionString::parse(without_options).is_ok() {
        return format!("an option after the ? of its address is not understood; {form}[?OPTIONS]");
    }
    format!("its address is not understood; {form}, in which @ : / ? # and % of a password are percent-encoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Result<&str, &str>) {
        match (Address::parse(address), expected) {
            (Ok(found), Ok(name)) => assert_eq!(found.name, name),
            (Err(error), Err(part)) => {
                let error = format!("{error} {error:?}");
                assert!(error.contains(part) && !error.contains("hunter2"), "{address}: {error}");
            }
            (found, _) => panic!("{address}: {:?}", found.map(|found| found.name)),
        }
    }

    #[test]
    fn an_address_is_named_without_its_secrets() {
        check("mongodb://host/app", Ok("mongodb: host:27017/app"));
        check("mongodb://me:hunter2@one:27018,two/app?replicaSet=a", Ok("mongodb: one:27018,two:27017/app"));
        check("mongodb+srv://me:hunter2@cluster.example.net/app", Ok("mongodb: cluster.example.net/app"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        check("mongodb://me:hunter2@host", Err("names no database"));
        check("mongodb://me:hunter2@host/", Err("mongodb://HOST/DATABASE"));
        check("mongodb://me:hun@hunter2@host/app", Err("percent-encoded"));
        check("mongodb://me:100%hunter2@host/app", Err("percent-encoded"));
        check("mongodb://me:hunter2/x@host/app", Err("percent-encoded"));
        check("mongodb://me:hunter2@host:port/app", Err("address is not understood"));
        check("mongodb+srv://me:hunter2@host:27017/app", Err("mongodb+srv: cannot be opened"));
        check("mongodb://me:hunter2@host/app?tls=hunter2", Err("an option after the ?"));
        check("mongodb://", Err("address is not understood"));
    }

    #[test]
    fn every_spelling_of_a_password_is_known() {
        let options = "authMechanism=PLAIN&authMechanismProperties=SERVICE_NAME:x9&tls=true";
        let secrets = Address::parse(&format!("mongodb://me:hunt%40er2@host/app?{options}"));
        let expected = ["SERVICE_NAME:x9", "hunt%40er2", "hunt@er2"].map(String::from).to_vec();
        assert_eq!(secrets.map(|found| found.secrets), Ok(expected));
    }
}
