//! What follows from an account id or an endpoint. R2's endpoints are `https://ACCOUNT.r2.cloudflarestorage.com`, with
//! `.eu` or `.fedramp` behind the account for buckets of a jurisdiction, and its region is `auto`
//! (developers.cloudflare.com/r2/api/s3/api, /r2/reference/data-location).

use std::fmt;

use http::Uri;

use super::value::{Raw, text};

const R2_DOMAIN: &str = "r2.cloudflarestorage.com";

/// Where the data of an R2 bucket must stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jurisdiction {
    /// Anywhere.
    Default,
    /// European Union.
    Eu,
    /// FedRAMP.
    FedRamp,
}

impl Jurisdiction {
    const ALL: [Self; 3] = [Self::Default, Self::Eu, Self::FedRamp];

    pub(super) fn parse(raw: &Raw) -> Result<Self, &'static str> {
        let name = text(raw).unwrap_or_default();
        Self::ALL.into_iter().find(|known| known.to_string() == name).ok_or("default, eu or fedramp")
    }

    /// The endpoint of an account in this jurisdiction.
    pub(super) fn endpoint(self, account_id: &str) -> String {
        match self {
            Self::Default => format!("https://{account_id}.{R2_DOMAIN}"),
            other => format!("https://{account_id}.{other}.{R2_DOMAIN}"),
        }
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Eu => "eu",
            Self::FedRamp => "fedramp",
        })
    }
}

/// A Cloudflare account id, in lower case.
pub(super) fn account_id(raw: &Raw) -> Result<String, &'static str> {
    let id = text(raw).unwrap_or_default().trim().to_ascii_lowercase();
    let fits = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { Ok(id) } else { Err("an account id of 32 hexadecimal digits") }
}

/// An endpoint, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Endpoint {
    /// Scheme, host and port.
    pub(super) url: String,
    pub(super) host: String,
    /// The path, which may name the bucket as Cloudflare's dashboard writes it; empty if there is none.
    pub(super) path: String,
}

impl Endpoint {
    pub(super) fn parse(raw: &Raw) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an address such as https://s3.example.com, without user, password or query";
        let text = text(raw).map_err(|_| EXPECTED)?;
        let uri: Uri = text.trim().parse().map_err(|_| EXPECTED)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(EXPECTED) };
        // A password with a slash or question mark in it looks like a path or query, so no @ is allowed anywhere.
        let plain = matches!(scheme, "http" | "https") && !text.contains('@') && uri.query().is_none();
        let whole_port = authority.port_u16().is_some() || authority.as_str() == authority.host();
        if !plain || !whole_port || authority.host().is_empty() {
            return Err(EXPECTED);
        }
        Ok(Self {
            url: format!("{scheme}://{authority}"),
            host: authority.host().to_ascii_lowercase(),
            path: uri.path().trim_matches('/').to_owned(),
        })
    }

    /// The account and jurisdiction of an endpoint of R2.
    pub(super) fn r2(&self) -> Option<(String, Jurisdiction)> {
        let labels = self.host.strip_suffix(R2_DOMAIN)?.strip_suffix('.')?;
        let (account, jurisdiction) = match labels.split_once('.') {
            None => (labels, Jurisdiction::Default),
            Some((account, name)) => (account, Jurisdiction::ALL.into_iter().find(|known| known.to_string() == name)?),
        };
        Some((account.to_owned(), jurisdiction))
    }

    /// Whether it is one of Amazon's, which want the bucket in the host.
    pub(super) fn is_aws(&self) -> bool {
        self.host.ends_with(".amazonaws.com") || self.host.ends_with(".amazonaws.com.cn")
    }
}
