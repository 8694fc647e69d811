//! Where a bucket is and who asks.

use std::fmt;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Builder, Credentials, ProvideCredentials as _, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedCredentialsProvider, StalledStreamProtectionConfig,
};

use super::errors::Attempt;
use crate::store::{ErrorKind, StoreError, StoreIdentity};

/// How long a request may take. The SDK for Rust has no default for answers, so all three are always set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the whole answer has arrived.
    pub attempt: Duration,
    /// Until everything is done, the wait for credentials included.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(3), attempt: seconds(30), operation: seconds(120) }
    }
}

/// Where a bucket is and who asks. `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct S3Options {
    /// Endpoint URL; `None` is AWS itself.
    pub endpoint: Option<String>,
    /// Region to sign for; without one, `auto` where an endpoint is set (R2's name for its only region), else what the AWS
    /// profile says, else `us-east-1`.
    pub region: Option<String>,
    /// Bucket name.
    pub bucket: String,
    /// Cloudflare account id, if known; only for the identity.
    pub account: Option<String>,
    /// Access key id; with the secret it is used in place of everything that AWS's own files and variables say.
    pub access_key_id: Option<String>,
    /// Secret access key.
    pub secret_access_key: Option<String>,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
    /// Profile of the AWS files to take credentials from, where none are given here; without one, `AWS_PROFILE` counts.
    pub profile: Option<String>,
    /// Whether the bucket stands in the path of the URL; without a wish, wherever an endpoint is set.
    pub path_style: Option<bool>,
    /// Whether the store keeps one object for all Unicode spellings of a key, as R2 does.
    pub folds_nfc: bool,
    /// How long a request may take.
    pub timeouts: Timeouts,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "hidden");
        f.debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("account", &self.account)
            .field("access_key_id", &hidden(&self.access_key_id))
            .field("secret_access_key", &hidden(&self.secret_access_key))
            .field("session_token", &hidden(&self.session_token))
            .field("profile", &self.profile)
            .field("path_style", &self.path_style)
            .field("folds_nfc", &self.folds_nfc)
            .field("timeouts", &self.timeouts)
            .finish()
    }
}

/// A client for these options, and where it leads.
pub(super) async fn client(options: S3Options) -> Result<(Client, StoreIdentity), StoreError> {
    let mut identity = StoreIdentity {
        endpoint: options.endpoint.clone().unwrap_or_default(),
        account: options.account.clone(),
        bucket: options.bucket.clone(),
        region: options.region.clone().unwrap_or_default(),
        folds_nfc: options.folds_nfc,
    };
    check(&options)?;
    let (credentials, profile_region) = credentials(&options, &identity).await?;
    identity.region = match (options.region, &options.endpoint) {
        (Some(region), _) if !region.is_empty() => region,
        (_, Some(_)) => String::from("auto"),
        (_, None) => profile_region.unwrap_or_else(|| String::from("us-east-1")),
    };
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(options.timeouts.connect)
        .read_timeout(options.timeouts.attempt)
        .operation_attempt_timeout(options.timeouts.attempt)
        .operation_timeout(options.timeouts.operation)
        .build();
    let mut config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(Region::new(identity.region.clone()))
        .force_path_style(options.path_style.unwrap_or(options.endpoint.is_some()))
        // R2 and older stores answer 501 to the checksums that the SDK adds by default.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts)
        // A repeated delete can hit an object that was created in between: repeating is decided above, never here.
        .retry_config(RetryConfig::disabled());
    match options.endpoint {
        // Without the slash the SDK glues the bucket's name to the last segment of an endpoint that has a path.
        Some(endpoint) => config = config.endpoint_url(format!("{}/", endpoint.trim_end_matches('/'))),
        None => identity.endpoint = format!("https://s3.{}.amazonaws.com", identity.region),
    }
    Ok((Client::from_conf(config.build()), identity))
}

fn check(options: &S3Options) -> Result<(), StoreError> {
    let refuse = |why: &str| Err(StoreError::new(ErrorKind::Invalid, why));
    if options.bucket.is_empty() {
        return refuse("no bucket is named");
    }
    let Some(endpoint) = &options.endpoint else { return Ok(()) };
    match endpoint.parse::<http::Uri>() {
        // The text is not repeated: it may hold a password.
        Ok(uri) if uri.authority().is_some_and(|host| host.as_str().contains('@')) => {
            refuse("the endpoint holds a user name; credentials belong in their own settings")
        }
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none() => Ok(()),
        _ => refuse("the endpoint is not an http or https URL"),
    }
}

async fn credentials(
    options: &S3Options,
    identity: &StoreIdentity,
) -> Result<(SharedCredentialsProvider, Option<String>), StoreError> {
    if let (Some(id), Some(secret)) = (&options.access_key_id, &options.secret_access_key) {
        let explicit = Credentials::new(id, secret, options.session_token.clone(), None, "bucketree");
        return Ok((SharedCredentialsProvider::new(explicit), None));
    }
    let refuse = |why: &str| Attempt { what: "connecting to", at: identity }.error(ErrorKind::Unauthenticated, why);
    if options.access_key_id.is_some() || options.secret_access_key.is_some() {
        return Err(refuse("an access key id needs its secret access key, and the other way round"));
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    let shared = loader.load().await;
    let provider = shared.credentials_provider().ok_or_else(|| refuse("no credentials are set"))?;
    if provider.provide_credentials().await.is_err() {
        let named = options.profile.as_ref().map_or(String::new(), |profile| format!(" in the AWS profile {profile}"));
        return Err(refuse(&format!(
            "no credentials were found{named}; set an access key id and a secret, or a profile"
        )));
    }
    Ok((provider, shared.region().map(ToString::to_string)))
}
