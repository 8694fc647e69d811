//! What was said of every object: a verdict, flags and a project for each, and their totals over any range.

mod sets;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use self::sets::Weighed;

use self::sets::Sets;
use super::bits::BitSet;
use super::block_sums::{BLOCK, BlockSums, Sum};
use super::inventory::{Inventory, ObjectIndex};
use super::project::ProjectId;
use super::totals::Tally;
use super::verdict::{Flag, Flags, Verdict};

/// The place of a project in an [`Assessment`].
pub type ProjectIndex = u32;

const NO_PROJECT: ProjectIndex = ProjectIndex::MAX;

/// Objects and bytes for each verdict and each flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct VerdictTotals {
    verdicts: [Tally; Verdict::ALL.len()],
    flags: [Tally; Flag::ALL.len()],
}

impl VerdictTotals {
    /// Objects with this verdict.
    pub fn of(&self, verdict: Verdict) -> Tally {
        self.verdicts[verdict as usize]
    }

    /// Objects with this flag, whatever their verdict.
    pub fn flagged(&self, flag: Flag) -> Tally {
        self.flags[flag as usize]
    }

    /// All objects.
    pub fn all(&self) -> Tally {
        let mut sum = Tally::default();
        self.verdicts.iter().for_each(|tally| sum.add(tally));
        sum
    }

    /// Counts one more object.
    pub fn count(&mut self, verdict: Verdict, flags: Flags, size: u64) {
        self.verdicts[verdict as usize].count(size);
        flags.iter().for_each(|flag| self.flags[flag as usize].count(size));
    }

    /// Takes out what was counted before; `false` if a sum did not fit, so that what is left of it is not known.
    fn subtract(&mut self, other: &Self) -> bool {
        let verdicts = self.verdicts.iter_mut().zip(&other.verdicts);
        let flags = self.flags.iter_mut().zip(&other.flags);
        verdicts.chain(flags).fold(true, |fitted, (sum, tally)| sum.subtract(tally) && fitted)
    }
}

impl Sum for VerdictTotals {
    fn add(&mut self, other: &Self) {
        self.verdicts.iter_mut().zip(&other.verdicts).for_each(|(sum, tally)| sum.add(tally));
        self.flags.iter_mut().zip(&other.flags).for_each(|(sum, tally)| sum.add(tally));
    }
}

/// A project that objects name.
#[derive(Clone, Debug)]
struct Project {
    id: ProjectId,
    totals: VerdictTotals,
}

/// Verdict, flags and primary project of every object of an inventory. Cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Assessment {
    columns: Arc<Columns>,
    sets: Arc<Sets>,
    projects: Arc<Vec<Project>>,
    /// For sizes; what is gone is known here on its own.
    inventory: Inventory,
    gone: Arc<BitSet>,
    sums: Arc<BlockSums<VerdictTotals>>,
}

#[derive(Clone, Default, Debug)]
struct Columns {
    verdicts: Vec<Verdict>,
    flags: Vec<Flags>,
    projects: Vec<ProjectIndex>,
}

impl Columns {
    /// The totals of one object.
    fn totals_at(&self, index: ObjectIndex, size: u64) -> VerdictTotals {
        let mut totals = VerdictTotals::default();
        totals.count(self.verdicts[index as usize], self.flags[index as usize], size);
        totals
    }
}

impl Assessment {
    /// Objects assessed, those that are gone included.
    pub fn len(&self) -> u32 {
        self.columns.verdicts.len() as u32
    }

    /// Whether nothing was assessed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The verdict on an object; [`Verdict::Undetermined`] if it was not assessed.
    pub fn verdict(&self, index: ObjectIndex) -> Verdict {
        self.columns.verdicts.get(index as usize).copied().unwrap_or(Verdict::Undetermined)
    }

    /// The flags of an object; none if it was not assessed.
    pub fn flags(&self, index: ObjectIndex) -> Flags {
        self.columns.flags.get(index as usize).copied().unwrap_or(Flags::NONE)
    }

    /// The project that an object is shown under, if any reading names one.
    pub fn project(&self, index: ObjectIndex) -> Option<ProjectIndex> {
        self.columns.projects.get(index as usize).copied().filter(|project| *project != NO_PROJECT)
    }

    /// Projects that objects are shown under, numbered from 0 in the order in which they were met.
    pub fn projects(&self) -> u32 {
        self.projects.len() as u32
    }

    /// The id of a project.
    pub fn project_id(&self, project: ProjectIndex) -> &ProjectId {
        &self.projects[project as usize].id
    }

    /// Totals of the objects shown under a project, without what is gone.
    pub fn project_totals(&self, project: ProjectIndex) -> &VerdictTotals {
        &self.projects[project as usize].totals
    }

    /// The objects shown under a project, in key order, without what is gone. Reads the whole column.
    pub fn objects_of(&self, project: ProjectIndex) -> impl Iterator<Item = ObjectIndex> + '_ {
        (0..)
            .zip(&self.columns.projects)
            .filter(move |(index, at)| **at == project && !self.gone.contains(*index))
            .map(|(index, _)| index)
    }

    /// The objects with a verdict, as they were judged: those that went since are among them.
    pub fn with_verdict(&self, verdict: Verdict) -> &BitSet {
        &self.sets.verdicts[verdict as usize]
    }

    /// The objects with a flag, as they were judged: those that went since are among them.
    pub fn with_flag(&self, flag: Flag) -> &BitSet {
        &self.sets.flags[flag as usize]
    }

    /// The objects that may be marked many at a time, as they were judged: of a verdict for which
    /// [`Verdict::is_bulk_selectable`], with none of [`Flag::KEPT_FROM_BULK`]. Those that went since are among them.
    pub fn bulk(&self) -> &Weighed {
        &self.sets.bulk
    }

    /// Totals for each verdict and flag over a range of objects, without what is gone. O(log n) and at most two partial blocks.
    pub fn totals(&self, range: Range<ObjectIndex>) -> VerdictTotals {
        let range = range.start..range.end.min(self.len());
        self.sums.over(range, |part| self.sum_part(part))
    }

    /// Counts objects no more, because they are proved gone. It takes time for what goes, not for what stays beside it.
    pub fn forget(&mut self, indices: &[ObjectIndex], inventory: &Inventory) {
        let here = |index: &ObjectIndex| *index < self.len() && !self.gone.contains(*index);
        let mut went: Vec<ObjectIndex> = indices.iter().copied().filter(here).collect();
        went.sort_unstable();
        went.dedup();
        if went.is_empty() {
            return;
        }
        let gone = Arc::make_mut(&mut self.gone);
        let projects = Arc::make_mut(&mut self.projects);
        for &index in &went {
            gone.insert(index);
            if let Some(project) = projects.get_mut(self.columns.projects[index as usize] as usize) {
                project.totals.subtract(&self.columns.totals_at(index, inventory.size(index)));
            }
        }
        let mut sums = std::mem::take(&mut self.sums);
        for (block, went) in sums.by_block(&went).collect::<Vec<_>>() {
            let mut lost = VerdictTotals::default();
            went.iter().for_each(|index| lost.add(&self.columns.totals_at(*index, inventory.size(*index))));
            let sums = Arc::make_mut(&mut sums);
            if !sums.change(block, |sum| sum.subtract(&lost)) {
                sums.set(block, self.sum_part(block * BLOCK..(block + 1) * BLOCK));
            }
        }
        self.sums = sums;
    }

    /// Bytes held on the heap, without the inventory and the ids.
    pub fn memory_bytes(&self) -> usize {
        self.columns.verdicts.capacity()
            + self.columns.flags.capacity()
            + self.columns.projects.capacity() * size_of::<ProjectIndex>()
            + self.projects.capacity() * size_of::<Project>()
            + self.sets.memory_bytes()
            + self.gone.memory_bytes()
            + self.sums.memory_bytes()
    }

    fn sum_part(&self, range: Range<ObjectIndex>) -> VerdictTotals {
        let mut sum = VerdictTotals::default();
        let places = range.start as usize..range.end as usize;
        let said = self.columns.verdicts[places.clone()].iter().zip(&self.columns.flags[places]);
        let sizes = self.inventory.sizes(range.clone());
        let nothing_gone = self.gone.is_empty();
        for ((index, size), (verdict, flags)) in range.zip(sizes).zip(said) {
            if nothing_gone || !self.gone.contains(index) {
                sum.count(*verdict, *flags, size);
            }
        }
        sum
    }
}

/// Collects the verdicts of an inventory, one object after another.
#[derive(Debug)]
pub struct AssessmentBuilder {
    assessment: Assessment,
    columns: Columns,
    sets: Sets,
    projects: Vec<Project>,
    numbers: FxHashMap<ProjectId, ProjectIndex>,
    sums: BlockSums<VerdictTotals>,
    block: VerdictTotals,
}

impl AssessmentBuilder {
    /// A builder for the objects of this inventory as it is now.
    pub fn new(inventory: &Inventory) -> Self {
        let len = inventory.len() as usize;
        let columns = Columns {
            verdicts: Vec::with_capacity(len),
            flags: Vec::with_capacity(len),
            projects: Vec::with_capacity(len),
        };
        let gone = Arc::new(inventory.gone().clone());
        Self {
            assessment: Assessment { inventory: inventory.clone(), gone, ..Assessment::default() },
            columns,
            sets: Sets::default(),
            projects: Vec::new(),
            numbers: FxHashMap::default(),
            sums: BlockSums::default(),
            block: VerdictTotals::default(),
        }
    }

    /// Says what the next object is that is not gone, in the order in which [`Inventory::scan`] visits them. `size` is
    /// its size in bytes. What is said beyond the last object is not kept.
    pub fn push(&mut self, verdict: Verdict, flags: Flags, project: Option<&ProjectId>, size: u64) {
        self.skip_gone();
        if self.columns.verdicts.len() as u32 >= self.assessment.inventory.len() {
            return;
        }
        let project = project.map_or(NO_PROJECT, |id| self.number(id));
        if let Some(project) = self.projects.get_mut(project as usize) {
            project.totals.count(verdict, flags, size);
        }
        self.block.count(verdict, flags, size);
        self.sets.insert(self.columns.verdicts.len() as ObjectIndex, verdict, flags, size);
        self.append(verdict, flags, project);
    }

    /// Shows an object under a project that was pushed without one: among several that it may belong to, the choice needs
    /// all objects. Nothing happens to an object that was not pushed, is gone or has a project.
    pub fn show_under(&mut self, index: ObjectIndex, project: &ProjectId) {
        let at = index as usize;
        if self.columns.projects.get(at) != Some(&NO_PROJECT) || self.assessment.gone.contains(index) {
            return;
        }
        let number = self.number(project);
        self.columns.projects[at] = number;
        let (verdict, flags) = (self.columns.verdicts[at], self.columns.flags[at]);
        if let Some(project) = self.projects.get_mut(number as usize) {
            project.totals.count(verdict, flags, self.assessment.inventory.size(index));
        }
    }

    /// The assessment. Objects that nothing was said of are [`Verdict::Undetermined`].
    pub fn finish(mut self) -> Assessment {
        let inventory = self.assessment.inventory.clone();
        self.skip_gone();
        while (self.columns.verdicts.len() as u32) < inventory.len() {
            self.push(Verdict::Undetermined, Flags::NONE, None, inventory.size(self.columns.verdicts.len() as u32));
            self.skip_gone();
        }
        self.projects.shrink_to_fit();
        Assessment {
            columns: Arc::new(self.columns),
            sets: Arc::new(self.sets),
            projects: Arc::new(self.projects),
            sums: Arc::new(self.sums),
            ..self.assessment
        }
    }

    /// Keeps places in step with the inventory: what is gone has one, and counts nowhere.
    fn skip_gone(&mut self) {
        while self.assessment.gone.contains(self.columns.verdicts.len() as u32) {
            self.append(Verdict::Undetermined, Flags::NONE, NO_PROJECT);
        }
    }

    fn append(&mut self, verdict: Verdict, flags: Flags, project: ProjectIndex) {
        self.columns.verdicts.push(verdict);
        self.columns.flags.push(flags);
        self.columns.projects.push(project);
        if (self.columns.verdicts.len() as u32).is_multiple_of(BLOCK) {
            self.sums.push(std::mem::take(&mut self.block));
        }
    }

    fn number(&mut self, id: &ProjectId) -> ProjectIndex {
        if let Some(known) = self.numbers.get(id) {
            return *known;
        }
        let number = self.projects.len() as ProjectIndex;
        self.projects.push(Project { id: id.clone(), totals: VerdictTotals::default() });
        self.numbers.insert(id.clone(), number);
        number
    }
}
