//! What the program runs with.

use std::fmt;
use std::path::PathBuf;

use super::endpoint::{Endpoint, Jurisdiction, account_id};
use super::keys;
use super::layers::{Inputs, Layers, invalid};
use super::value::{self, Raw, age, age_text, boolean, bucket, concurrency, count, list, share, size, text};
use super::{ConfigError, Origin, RegistrySettings, Secret, Setting};
use crate::domain::prices::{Prices, RequestPrices};
use crate::domain::via::Via;

/// The least age that a plan may ask for unless `allow_young` is set, in seconds.
const LEAST_AGE: i64 = 24 * 60 * 60;

/// Everything, resolved. Nothing that is optional here is needed by every verb: who needs it says so.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// The configuration file that was looked for.
    pub config_file: PathBuf,
    /// The profile in use.
    pub profile: Option<Setting<String>>,
    /// The bucket.
    pub bucket: Option<Setting<String>>,
    /// The endpoint: scheme, host and port. `None` means Amazon's, by region.
    pub endpoint: Option<Setting<String>>,
    /// The Cloudflare account.
    pub account_id: Option<Setting<String>>,
    /// The R2 jurisdiction.
    pub jurisdiction: Setting<Jurisdiction>,
    /// The region; `None` leaves it to the AWS profile.
    pub region: Option<Setting<String>>,
    /// Shows its first characters.
    pub access_key_id: Option<Setting<Secret>>,
    /// Shows nothing.
    pub secret_access_key: Option<Setting<Secret>>,
    /// Of temporary credentials.
    pub session_token: Option<Setting<Secret>>,
    /// The Cloudflare API token.
    pub api_token: Option<Setting<Secret>>,
    /// A profile of the AWS files.
    pub aws_profile: Option<Setting<String>>,
    /// Bucket in the path instead of the host.
    pub path_style: Setting<bool>,
    /// Whether the store keeps one object for all Unicode spellings of a key.
    pub folds_nfc: Setting<bool>,
    /// A file of layouts instead of the built-in ones.
    pub layouts: Option<Setting<PathBuf>>,
    /// The registry.
    pub registry: RegistrySettings,
    /// Younger objects are kept, in seconds.
    pub min_age: Setting<i64>,
    /// Whether `min_age` may be under a day.
    pub allow_young: Setting<bool>,
    /// Keys that start so are kept.
    pub protected_prefixes: Setting<Vec<String>>,
    /// Objects of these projects are kept.
    pub protected_projects: Setting<Vec<String>>,
    /// Most objects of a plan.
    pub max_objects: Option<Setting<u64>>,
    /// Most bytes of a plan.
    pub max_bytes: Option<Setting<u64>>,
    /// Most of the bucket's objects in a plan, from 0 to 1.
    pub max_share: Setting<f64>,
    /// Most of a live project's objects in a plan, from 0 to 1.
    pub max_project_share: Option<Setting<f64>>,
    /// Most projects of a plan.
    pub max_projects: Option<Setting<u64>>,
    /// Most of the tracked keys that may be absent from the bucket, from 0 to 1.
    pub max_missing: Option<Setting<f64>>,
    /// For how many days an object must have been seen as what it is; `None` or 0 for not at all.
    pub observe_days: Option<Setting<u64>>,
    /// A project that is live for certain.
    pub canary_project: Option<Setting<String>>,
    /// A key that is there and alive for certain.
    pub canary_key: Option<Setting<String>>,
    /// Requests at the same time; `None` leaves it to each job.
    pub concurrency: Option<Setting<usize>>,
    /// How deletions reach the store.
    pub executor: Setting<Via>,
    /// Dollars for a GB (10^9 bytes) and month.
    pub price_per_gb: Setting<f64>,
    /// The same for the infrequent-access class.
    pub price_per_gb_infrequent: Setting<f64>,
    /// Dollars for a million requests that list, write or copy; `None` where nobody said what the store charges.
    pub price_class_a: Option<Setting<f64>>,
    /// The same for requests that read.
    pub price_class_b: Option<Setting<f64>>,
    /// Complete listings that are kept for each bucket.
    pub kept_scans: Setting<usize>,
    /// Colors.
    pub theme: Setting<Theme>,
    /// What is odd and not wrong, for a person: misspelt variables, what was left out and why.
    pub warnings: Vec<String>,
}

/// Colors of the terminal interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Theme {
    /// As the terminal seems to be.
    Auto,
    /// For light terminals.
    Light,
    /// For dark terminals.
    Dark,
    /// No colors.
    Mono,
}

impl Theme {
    const ALL: [Self; 4] = [Self::Auto, Self::Light, Self::Dark, Self::Mono];

    fn parse(raw: &Raw) -> Result<Self, &'static str> {
        let name = text(raw).unwrap_or_default();
        Self::ALL.into_iter().find(|known| known.to_string() == name).ok_or("auto, light, dark or mono")
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Mono => "mono",
        })
    }
}

impl Settings {
    /// Puts flag, environment, env file, profile and defaults together, and derives what follows from them.
    ///
    /// # Errors
    /// [`ConfigError`], with the place of what is wrong.
    pub fn resolve(inputs: &Inputs) -> Result<Self, ConfigError> {
        let layers = Layers::read(inputs)?;
        let mut warnings = layers.misspelt_variables();
        let target = Target::resolve(&layers, &mut warnings)?;
        let secret_access_key = layers.get("secret_access_key", text)?;
        let session_token = layers.get("session_token", text)?;
        let session_token = same_place(session_token, secret_access_key.as_ref(), &mut warnings);
        let hidden = |setting: Setting<String>| setting.map(|text| Secret::new(text.trim()));
        let allow_young = layers.get_or("allow_young", boolean, false)?;
        let class_a = target.request_prices.clone().map(|prices| prices.map(|prices| prices.class_a));
        let class_b = target.request_prices.map(|prices| prices.map(|prices| prices.class_b));
        Ok(Self {
            profile: layers.profile.clone().map(|profile| profile.map(|profile| profile.name)),
            access_key_id: layers.get("access_key_id", text)?.map(|id| id.map(|id| Secret::recognisable(id.trim()))),
            secret_access_key: secret_access_key.map(hidden),
            session_token: session_token.map(hidden),
            api_token: layers.get("api_token", text)?.map(hidden),
            aws_profile: layers.get("aws_profile", text)?,
            layouts: layers.get("layouts", text)?.map(|file| {
                let path = layers.path(&file.origin, &file.value);
                file.map(|_| path)
            }),
            registry: RegistrySettings::resolve(&layers)?,
            min_age: min_age(&layers, allow_young.value)?,
            allow_young,
            protected_prefixes: layers.get_or("protected_prefixes", list, Vec::new())?,
            protected_projects: layers.get_or("protected_projects", list, Vec::new())?,
            max_objects: layers.get("max_objects", count)?,
            max_bytes: layers.get("max_bytes", size)?,
            max_share: layers.get_or("max_share", share, 0.5)?,
            max_project_share: layers.get("max_project_share", share)?,
            max_projects: layers.get("max_projects", count)?,
            max_missing: layers.get("max_missing", share)?,
            observe_days: layers.get("observe_days", count)?,
            canary_project: layers.get("canary_project", text)?,
            canary_key: layers.get("canary_key", text)?,
            concurrency: layers.get("concurrency", concurrency)?,
            executor: layers.get_or("executor", value::executor, Via::default())?,
            price_per_gb: layers.get_or("price_per_gb", value::price, Prices::default().standard)?,
            price_per_gb_infrequent: layers.get_or(
                "price_per_gb_infrequent",
                value::price,
                Prices::default().infrequent,
            )?,
            price_class_a: layers.get("price_class_a", value::price)?.or(class_a),
            price_class_b: layers.get("price_class_b", value::price)?.or(class_b),
            kept_scans: layers.get_or("kept_scans", value::few, 5)?,
            theme: layers.get_or("theme", Theme::parse, Theme::Auto)?,
            bucket: target.bucket,
            endpoint: target.endpoint,
            account_id: target.account_id,
            jurisdiction: target.jurisdiction,
            region: target.region,
            path_style: target.path_style,
            folds_nfc: target.folds_nfc,
            config_file: layers.config_path,
            warnings,
        })
    }

    /// What the store charges, as far as it is known.
    pub fn prices(&self) -> Prices {
        let price = |setting: &Option<Setting<f64>>| setting.as_ref().map(|setting| setting.value);
        let requests = match (price(&self.price_class_a), price(&self.price_class_b)) {
            (None, None) => None,
            (a, b) => Some(RequestPrices { class_a: a.unwrap_or_default(), class_b: b.unwrap_or_default() }),
        };
        Prices { standard: self.price_per_gb.value, infrequent: self.price_per_gb_infrequent.value, requests }
    }
}

/// A session token belongs to the secret beside it. One that lies about in another place would make every request fail.
fn same_place(
    token: Option<Setting<String>>,
    secret: Option<&Setting<String>>,
    warnings: &mut Vec<String>,
) -> Option<Setting<String>> {
    let token = token?;
    let secret = secret?;
    if std::mem::discriminant(&token.origin) == std::mem::discriminant(&secret.origin) {
        return Some(token);
    }
    warnings.push(format!(
        "session_token ({}) is not used: secret_access_key comes from elsewhere ({})",
        token.origin, secret.origin
    ));
    None
}

fn min_age(layers: &Layers<'_>, allow_young: bool) -> Result<Setting<i64>, ConfigError> {
    let min_age = layers.get_or("min_age", age, 7 * LEAST_AGE)?;
    if min_age.value >= LEAST_AGE || allow_young {
        return Ok(min_age);
    }
    Err(ConfigError::Invalid {
        origin: min_age.origin.into(),
        key: "min_age".into(),
        expected: "at least 24h, or allow_young = true beside it".into(),
        found: age_text(min_age.value),
    })
}

/// Which bucket on which store.
struct Target {
    bucket: Option<Setting<String>>,
    endpoint: Option<Setting<String>>,
    account_id: Option<Setting<String>>,
    jurisdiction: Setting<Jurisdiction>,
    region: Option<Setting<String>>,
    path_style: Setting<bool>,
    folds_nfc: Setting<bool>,
    /// What its owner is known to charge.
    request_prices: Option<Setting<RequestPrices>>,
}

impl Target {
    fn resolve(layers: &Layers<'_>, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let mut bucket = layers.get("bucket", bucket)?;
        let mut account = layers.get("account_id", text)?;
        let mut jurisdiction = layers.get_or("jurisdiction", Jurisdiction::parse, Jurisdiction::Default)?;
        let endpoint = match layers.get("endpoint", Endpoint::parse)? {
            Some(given) => {
                bucket = bucket_of_path(layers, &given, bucket)?;
                if let Some((id, found)) = given.value.r2() {
                    jurisdiction = jurisdiction_of(&given, found, jurisdiction)?;
                    account = Some(account_of(&given, id, account, warnings));
                }
                Some(given)
            }
            None => made_endpoint(layers, account.as_ref(), &jurisdiction)?,
        };
        let is_r2 = endpoint.as_ref().is_some_and(|endpoint| endpoint.value.r2().is_some());
        let is_aws = endpoint.as_ref().is_none_or(|endpoint| endpoint.value.is_aws());
        let request_prices = match (is_r2, is_aws) {
            (true, _) => Some(Setting::derived(RequestPrices::R2, "the endpoint, which is R2's")),
            (_, true) => Some(Setting::derived(RequestPrices::AWS, "the endpoint, which is Amazon's")),
            // A server of one's own charges nothing, and what others charge is theirs to say.
            _ => None,
        };
        let from_endpoint = |value| Setting::derived(value, "the endpoint");
        let region = layers.get("region", text)?.or_else(|| match (&endpoint, is_r2) {
            (Some(_), true) => Some(Setting::derived(String::from("auto"), "the endpoint, which is R2's")),
            (Some(_), false) if !is_aws => Some(Setting::default(String::from("us-east-1"))),
            _ => None,
        });
        Ok(Self {
            path_style: layers.get("path_style", boolean)?.unwrap_or_else(|| from_endpoint(!is_aws)),
            folds_nfc: layers.get("folds_nfc", boolean)?.unwrap_or_else(|| from_endpoint(is_r2)),
            request_prices,
            endpoint: endpoint.map(|endpoint| endpoint.map(|endpoint| endpoint.url)),
            account_id: account,
            bucket,
            jurisdiction,
            region,
        })
    }
}

/// The endpoint that an account makes.
fn made_endpoint(
    layers: &Layers<'_>,
    account: Option<&Setting<String>>,
    jurisdiction: &Setting<Jurisdiction>,
) -> Result<Option<Setting<Endpoint>>, ConfigError> {
    if account.is_none() {
        return Ok(None);
    }
    let Some(id) = layers.get("account_id", account_id)? else { return Ok(None) };
    let url = jurisdiction.value.endpoint(&id.value);
    let endpoint = Endpoint::parse(&Raw::Untyped(url)).map_err(|expected| ConfigError::Invalid {
        origin: id.origin.into(),
        key: "account_id".into(),
        expected: expected.into(),
        found: "what it is".into(),
    })?;
    Ok(Some(Setting::derived(endpoint, "account_id and jurisdiction")))
}

/// Cloudflare's dashboard shows endpoints with the bucket behind them.
fn bucket_of_path(
    layers: &Layers<'_>,
    endpoint: &Setting<Endpoint>,
    bucket: Option<Setting<String>>,
) -> Result<Option<Setting<String>>, ConfigError> {
    let path = &endpoint.value.path;
    match bucket {
        bucket if path.is_empty() => Ok(bucket),
        None if value::bucket(&Raw::Untyped(path.clone())).is_ok() => {
            Ok(Some(Setting::derived(path.clone(), "the path of the endpoint")))
        }
        Some(bucket) if bucket.value == *path => Ok(Some(bucket)),
        Some(bucket) => Err(ConfigError::Contradiction {
            key: "endpoint".into(),
            origin: endpoint.origin.clone().into(),
            other_key: "bucket".into(),
            other_origin: bucket.origin.into(),
            why: format!("the path of the endpoint is not the bucket {}", bucket.value),
        }),
        None => {
            let found = keys::find("endpoint").and_then(|key| Some((key, layers.find(key)?)));
            let expected = "an address without a path, or with the bucket as its path";
            Err(match found {
                Some((key, found)) => invalid(key, &found, expected),
                None => ConfigError::Invalid {
                    origin: endpoint.origin.clone().into(),
                    key: "endpoint".into(),
                    expected: expected.into(),
                    found: "a longer path".into(),
                },
            })
        }
    }
}

fn jurisdiction_of(
    endpoint: &Setting<Endpoint>,
    found: Jurisdiction,
    given: Setting<Jurisdiction>,
) -> Result<Setting<Jurisdiction>, ConfigError> {
    if given.origin == Origin::Default {
        return Ok(Setting::derived(found, "the endpoint"));
    }
    if given.value == found {
        return Ok(given);
    }
    Err(ConfigError::Contradiction {
        key: "endpoint".into(),
        origin: endpoint.origin.clone().into(),
        other_key: "jurisdiction".into(),
        other_origin: given.origin.into(),
        why: format!("the endpoint is of jurisdiction {found}, not {}", given.value),
    })
}

fn account_of(
    endpoint: &Setting<Endpoint>,
    id: String,
    given: Option<Setting<String>>,
    warnings: &mut Vec<String>,
) -> Setting<String> {
    match given {
        Some(given) if given.value.trim().eq_ignore_ascii_case(&id) => given.map(|_| id),
        Some(given) => {
            warnings.push(format!(
                "account_id ({}) is not the account of the endpoint ({}), which is used",
                given.origin, endpoint.origin
            ));
            Setting::derived(id, "the endpoint")
        }
        None => Setting::derived(id, "the endpoint"),
    }
}
