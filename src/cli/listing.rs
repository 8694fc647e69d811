//! Listings that are taken whole: of the bucket, or of what begins with a prefix.

use tokio::sync::mpsc;

use super::output::Progress;
use super::session::{PAGES_IN_FLIGHT, Session};
use crate::app::number;
use crate::domain::Object;
use crate::domain::inventory::Inventory;
use crate::domain::progress::{Completeness, Failure, ScanProgress, ScanReport};
use crate::jobs::trash::Trash;
use crate::jobs::{Stop, place, scan};

impl Session {
    /// So many list requests, for a person, with what they cost where that is known.
    pub fn price_of(&self, lists: u64) -> String {
        number::priced_requests(lists, self.settings.prices().of_lists(lists))
    }

    /// Lists what begins with `prefix`, with a progress line on stderr.
    pub async fn list(&self, prefix: &[u8]) -> (Inventory, ScanReport) {
        if let Some(kept) = &self.kept {
            return kept.list(prefix);
        }
        let mut progress = Progress::stderr();
        let told = |objects| progress.show(|| format!("listing: {}", number::objects(objects)));
        let (inventory, report) = self.list_until(prefix, &Stop::new(), told).await;
        let (objects, requests, seconds) = (inventory.alive(), report.requests, report.elapsed.as_secs_f64());
        tracing::info!(objects, requests, dollars = self.settings.prices().of_lists(requests), seconds, "listed");
        (inventory, report)
    }

    /// Lists what begins with `prefix` in the bucket itself, until somebody asks to stop. `told` hears after each page how
    /// many objects there are.
    pub async fn list_until(&self, prefix: &[u8], stop: &Stop, mut told: impl FnMut(u64)) -> (Inventory, ScanReport) {
        let (sender, mut pages) = mpsc::channel(PAGES_IN_FLIGHT);
        let listing = async {
            let sender = sender;
            scan::scan(&*self.store, prefix, &self.clock, stop, &sender).await
        };
        let collecting = async {
            let (mut inventory, mut broken) = (Inventory::new(), None);
            while let Some(message) = pages.recv().await {
                let ScanProgress::Page(objects) = message else { continue };
                if let Err(why) = collect(&mut inventory, objects) {
                    stop.request();
                    broken.get_or_insert(why);
                }
                told(inventory.alive());
            }
            (inventory, broken)
        };
        let (mut report, (inventory, broken)) = tokio::join!(listing, collecting);
        if let Some(why) = broken {
            let what = format!("list {}", place(self.store.identity()));
            let hint = "list it again; the store broke its own order".into();
            report.completeness = Completeness::Incomplete(Failure { what, why, hint });
        }
        (inventory, report)
    }

    /// The trash of a listing.
    pub fn trash<'a>(&'a self, inventory: &'a Inventory, scan: &'a ScanReport) -> Trash<'a> {
        Trash {
            identity: self.store.identity(),
            inventory,
            scan,
            layouts: self.layouts.hash(),
            runs: self.runs(),
            clock: &self.clock,
            deletes: self.deletes,
        }
    }
}

fn collect(inventory: &mut Inventory, objects: Vec<Object>) -> Result<(), String> {
    objects.into_iter().try_for_each(|object| inventory.push(object)).map_err(|error| error.to_string())
}
