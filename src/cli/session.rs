//! The one place where settings become a store, a registry, layouts and guards. The TUI and every headless verb work with
//! the same session.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::GlobalFlags;
use super::connecting;
use super::error::Stop;
use super::guarding::{caps, policy};
use super::kept::Kept;
use super::registering::open_registry;
use crate::config::{ConfigError, Inputs, Origin, Settings, state_directory};
use crate::demo::Demo;
use crate::domain::IdRules;
use crate::domain::capabilities::{Atomicity, Locking, Measured};
use crate::domain::facts::{RegistryState, SourceReport};
use crate::domain::guards::Caps;
use crate::domain::judge::Policy;
use crate::domain::layout::Layouts;
use crate::domain::plan::Plan;
use crate::domain::via::Via;
use crate::jobs::audit::AuditInput;
use crate::jobs::execute::Execution;
use crate::jobs::executor::executor;
use crate::jobs::{Clock, place};
use crate::journal::runs::rows_removed_since;
use crate::registry::checks::Limits;
use crate::registry::seen::SeenFile;
use crate::registry::{RegistryError, SharedRegistry};
use crate::store::SharedStore;
use crate::store::counted::CountedStore;

/// Pages of a listing that may wait to be looked at.
pub const PAGES_IN_FLIGHT: usize = 8;
/// Delete requests under way at once, unless the settings say otherwise.
const DELETE_REQUESTS: usize = 8;
/// Keys per delete request: what S3 takes at most (AmazonS3 API_DeleteObjects).
const BATCH_KEYS: usize = 1000;
/// Wait before a delete request is repeated for the first time.
const BACKOFF: Duration = Duration::from_millis(200);

/// Everything that a verb on a bucket needs.
pub struct Session {
    /// The settings, with their origins.
    pub settings: Settings,
    /// The store: reads are repeated, deletes never.
    pub store: SharedStore,
    /// The registry, if one is configured and could be opened.
    pub registry: Option<SharedRegistry>,
    /// Why the registry could not be opened.
    pub registry_problem: Option<RegistryError>,
    /// The layouts.
    pub layouts: Arc<Layouts>,
    /// How ids are compared.
    pub ids: IdRules,
    /// The age guard and what is protected.
    pub policy: Policy,
    /// The limits of plans.
    pub caps: Caps,
    /// The folder of journals and of what is remembered between runs.
    pub state: PathBuf,
    /// This machine's clock.
    pub clock: Clock,
    /// Whether a person said that a smaller registry or listing than last time is right.
    pub accepts_shrink: bool,
    /// Whether deletions in this bucket can hit another object than the one that was looked at.
    pub deletes: Atomicity,
    /// Whether runs on other machines can be kept out of the bucket.
    pub locking: Locking,
    /// What the store was last measured to do.
    pub measured: Option<Measured>,
    /// The scan that is looked at in place of the bucket, if one is.
    pub kept: Option<Arc<Kept>>,
}

/// What the settings are made from: the flags that were typed, and the environment.
pub fn inputs(flags: &GlobalFlags) -> Inputs {
    let mut typed = BTreeMap::new();
    let layouts = flags.layouts.as_ref().map(|file| file.display().to_string());
    for (key, value) in [
        ("endpoint", &flags.endpoint),
        ("bucket", &flags.bucket),
        ("region", &flags.region),
        ("registry.source", &flags.registry),
        ("layouts", &layouts),
    ] {
        typed.extend(value.clone().map(|value| (key, value)));
    }
    Inputs {
        profile: flags.profile.clone(),
        config: flags.config.clone(),
        env_file: flags.env_file.clone(),
        flags: typed,
        environment: environment(),
    }
}

/// The environment of this process; what is not UTF-8 is no setting.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The configuration cannot be used.
pub fn config_stop(error: &ConfigError) -> Stop {
    Stop::usage("use the configuration", error, "`bucketree config show` says where each setting comes from")
}

/// The settings.
///
/// # Errors
/// [`Stop`] with exit code 2, naming the place of what is wrong.
pub fn settings(inputs: &Inputs) -> Result<Settings, Stop> {
    Settings::resolve(inputs).map_err(|error| match &error {
        // The flag was understood when it was typed; what is left to be wrong with it is the guard.
        ConfigError::Invalid { key, origin, .. } if key == "min_age" && matches!(**origin, Origin::Flag(_)) => {
            Stop::refused("lower the age guard", error, "set allow_young = true in the profile if that is meant")
        }
        ConfigError::Unreadable { .. } | ConfigError::Syntax { .. } | ConfigError::UnknownKey { .. } => {
            Stop::usage("use the configuration", error, "mend the file, or name another one with --config")
        }
        ConfigError::NoSuchProfile { .. } => {
            Stop::usage("use the configuration", error, "`bucketree config path` says where profiles are kept")
        }
        _ => Stop::usage("use the configuration", error, "mend it where it was set"),
    })
}

/// The folder of journals and of what is remembered between runs.
///
/// # Errors
/// [`Stop`] if there is no home and none was named.
pub fn state_folder(inputs: &Inputs) -> Result<PathBuf, Stop> {
    state_directory(&inputs.environment).map_err(|error| Stop::usage("find the state folder", error, ""))
}

/// The folder that holds one folder per run.
pub fn runs_folder(state: &Path) -> PathBuf {
    state.join("runs")
}

/// The layouts that the settings name, or those of Auto Shorts.
///
/// # Errors
/// [`Stop`] with exit code 2 if the file cannot be read or a layout is wrong; file, line and field are named.
pub fn layouts(settings: &Settings) -> Result<Layouts, Stop> {
    let hint = "mend the file, or name another one with --layouts";
    let Some(file) = settings.layouts.as_ref().map(|setting| &setting.value) else {
        return Ok(Layouts::autoshorts());
    };
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|error| Stop::usage(format!("read the layouts {name}"), error, hint))?;
    Layouts::parse(&text, &name).map_err(|error| Stop::usage("read the layouts", error, hint))
}

/// How ids are compared under these layouts and on this store.
pub fn id_rules(layouts: &Layouts, settings: &Settings) -> IdRules {
    IdRules { prefix: layouts.id_prefix().into(), fold_nfc: settings.folds_nfc.value }
}

impl Session {
    /// Opens what the flags, the environment and the configuration name. Nothing is asked of the store yet.
    ///
    /// # Errors
    /// [`Stop`] with exit code 2 for settings that cannot be used, 1 if there are no credentials.
    pub async fn open(inputs: &Inputs) -> Result<Self, Stop> {
        let settings = settings(inputs)?;
        settings.warnings.iter().for_each(|warning| super::output::tell(format!("bucketree: {warning}")));
        Self::from_settings(settings, state_folder(inputs)?).await
    }

    /// Opens the embedded bucket. Nothing of the user's own configuration has a part in it; its journals are kept apart.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn of_demo(demo: &Demo, flags: &GlobalFlags) -> Result<Self, Stop> {
        let own = inputs(flags);
        let credentials =
            [("AWS_ACCESS_KEY_ID", &demo.access_key_id), ("AWS_SECRET_ACCESS_KEY", &demo.secret_access_key)];
        let registry = demo.registry.display().to_string();
        let mut typed: BTreeMap<&'static str, String> = own.flags.clone();
        typed.extend([
            ("endpoint", demo.endpoint.clone()),
            ("bucket", demo.bucket.clone()),
            ("region", demo.region.clone()),
            ("registry.source", registry),
            // The next one is at another port: nobody would find them again.
            ("kept_scans", "0".into()),
        ]);
        let no_file = demo.registry.with_file_name("config.toml");
        let inputs = Inputs {
            profile: None,
            config: Some(no_file),
            env_file: None,
            flags: typed,
            environment: credentials.map(|(name, value)| (name.into(), value.clone())).into(),
        };
        Self::from_settings(settings(&inputs)?, state_folder(&own)?.join("demo")).await
    }

    /// Opens what these settings name.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn from_settings(settings: Settings, state: PathBuf) -> Result<Self, Stop> {
        // Whatever is wrong with the layouts is said before anything is asked of credentials.
        layouts(&settings)?;
        let (store, measured) = connecting::store(&settings, &state, Clock::system().now()).await?;
        Self::on(settings, state, store, measured.as_ref()).await
    }

    /// Opens what these settings name, on this store.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn on(
        settings: Settings,
        state: PathBuf,
        store: SharedStore,
        measured: Option<&Measured>,
    ) -> Result<Self, Stop> {
        tracing::info!(profile = settings.profile.as_ref().map(|profile| &profile.value), state = %state.display(), "settings");
        let clock = Clock::system();
        let layouts = Arc::new(layouts(&settings)?);
        let ids = id_rules(&layouts, &settings);
        let (registry, registry_problem) = match open_registry(&settings.registry).await {
            Ok(registry) => (registry, None),
            Err(error) => (None, Some(error)),
        };
        tracing::info!(store = place(store.identity()), region = store.identity().region, "store");
        tracing::info!(
            name = registry.as_ref().map(|registry| registry.name()),
            problem = registry_problem.as_ref().map(ToString::to_string),
            "registry"
        );
        let now = clock.now();
        let deletes = Atomicity::of(measured, settings.executor.value, now);
        let policy = policy(&settings, &ids);
        let caps = caps(&settings);
        Ok(Self {
            settings,
            store,
            registry,
            registry_problem,
            layouts,
            ids,
            policy,
            caps,
            state,
            clock,
            accepts_shrink: false,
            deletes,
            locking: Locking::of(measured, now),
            measured: measured.cloned(),
            kept: None,
        })
    }

    /// The folder that holds one folder per run.
    pub fn runs(&self) -> PathBuf {
        runs_folder(&self.state)
    }

    /// What an audit works with.
    pub fn audit_input(&self) -> AuditInput {
        self.audit_input_accepting(self.accepts_shrink)
    }

    /// What an audit works with; whether a person said that smaller counts than last time are right.
    pub fn audit_input_accepting(&self, accepts_shrink: bool) -> AuditInput {
        let seen = SeenFile::in_directory(&self.state);
        let registry = &self.settings.registry;
        let limits = Limits {
            min_projects: registry.min_projects.value,
            min_tracked: registry.min_tracked.value,
            max_shrink: registry.max_shrink.value,
        };
        let identity = self.store.identity();
        let bucket = format!("{}/{}", identity.endpoint, identity.bucket);
        let runs = self.runs();
        let check = move |sources: &[SourceReport]| {
            let removed = |name: &str, since| rows_removed_since(&runs, name, since);
            let judged = sources.iter().map(|source| seen.judge(&bucket, source, &limits, accepts_shrink, &removed));
            judged
                .flat_map(|state| match state {
                    RegistryState::Unusable(reasons) => reasons,
                    RegistryState::Usable | RegistryState::Absent => Vec::new(),
                })
                .collect()
        };
        AuditInput {
            registry: self.registry.clone(),
            registry_problem: self.registry_problem.as_ref().map(ToString::to_string),
            layouts: Arc::clone(&self.layouts),
            ids: self.ids.clone(),
            policy: Policy { observed: self.observed(), ..self.policy.clone() },
            check_sources: Arc::new(check),
            clock: self.clock.clone(),
        }
    }

    /// Whether deletions that go this way can hit another object than the one that was looked at.
    pub fn deletes_via(&self, via: Via) -> Atomicity {
        Atomicity::of(self.measured.as_ref(), via, self.clock.now())
    }

    /// What a run of a plan needs.
    pub fn execution(&self, plan: Arc<Plan>) -> Execution {
        self.execution_via(plan, self.settings.executor.value)
    }

    /// What a run of a plan needs, with its deletions going this way.
    pub fn execution_via(&self, plan: Arc<Plan>, via: Via) -> Execution {
        let requests = self.settings.concurrency.as_ref().map_or(DELETE_REQUESTS, |setting| setting.value);
        Execution {
            plan,
            store: Arc::new(CountedStore::new(Arc::clone(&self.store))),
            registry: self.registry.clone(),
            layouts: Arc::clone(&self.layouts),
            ids: self.ids.clone(),
            runs: self.runs(),
            conditional_deletes: self.deletes_via(via).is_proved(),
            locking: self.locking,
            take_over: None,
            concurrency: via.concurrency(requests),
            batch_keys: BATCH_KEYS,
            backoff: BACKOFF,
            keep_rows: false,
            executor: executor(via),
            clock: self.clock.clone(),
        }
    }
}
