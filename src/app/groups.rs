//! Objects gathered under projects and findings, and the rows of a plan under verdicts and projects: two levels of
//! groups over one array of members.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use crate::domain::{Flag, Flags, ProjectId, Timestamp, Verdict};

/// What makes an object worth a look.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Finding {
    /// Its verdict.
    Verdict(Verdict),
    /// One of its flags.
    Flag(Flag),
}

impl Finding {
    /// Every finding, the most urgent first. A live object without a flag is none.
    pub const ALL: [Finding; 11] = [
        Finding::Verdict(Verdict::Orphaned),
        Finding::Verdict(Verdict::Conflict),
        Finding::Verdict(Verdict::Untracked),
        Finding::Verdict(Verdict::Unrecognized),
        Finding::Verdict(Verdict::Undetermined),
        Finding::Flag(Flag::DoublePrefixed),
        Finding::Flag(Flag::Legacy),
        Finding::Flag(Flag::Duplicate),
        Finding::Flag(Flag::Young),
        Finding::Flag(Flag::Protected),
        Finding::Flag(Flag::Unconfirmed),
    ];

    /// Its place among the findings.
    fn rank(self) -> usize {
        Self::ALL.iter().position(|finding| *finding == self).unwrap_or(Self::ALL.len())
    }

    /// Whether an object belongs to it.
    pub fn holds(self, verdict: Verdict, flags: Flags) -> bool {
        match self {
            Finding::Verdict(wanted) => wanted == verdict,
            Finding::Flag(flag) => flags.has(flag),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Verdict(verdict) => verdict.fmt(f),
            Finding::Flag(flag) => flag.fmt(f),
        }
    }
}

/// Which group: a finding, a project (`Some(None)`: objects of no project), or a project in a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupId {
    /// The finding, where there is one.
    pub finding: Option<Finding>,
    /// The project, where the group is one of a project.
    pub project: Option<Option<ProjectId>>,
}

impl GroupId {
    /// The group that holds this one.
    pub fn parent(&self) -> Option<GroupId> {
        match (&self.finding, &self.project) {
            (Some(_), Some(_)) => Some(GroupId { finding: self.finding, project: None }),
            _ => None,
        }
    }

    /// What it is called.
    pub fn title(&self) -> String {
        match (&self.project, &self.finding) {
            (Some(Some(project)), _) => project.to_string(),
            (Some(None), _) => "(no project)".into(),
            (None, Some(finding)) => finding.to_string(),
            (None, None) => "from the trash".into(),
        }
    }
}

/// What is counted of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GroupTally {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
    /// Objects by verdict, in the order of [`Verdict::ALL`].
    pub verdicts: [u64; Verdict::ALL.len()],
    /// Objects by flag, in the order of [`Flag::ALL`].
    pub flags: [u64; Flag::ALL.len()],
    /// The newest change.
    pub newest: Option<Timestamp>,
}

impl GroupTally {
    fn add(&mut self, item: &Item) {
        self.objects += 1;
        self.bytes += item.size;
        self.verdicts[item.verdict as usize] += 1;
        item.flags.iter().for_each(|flag| self.flags[flag as usize] += 1);
        self.newest = self.newest.max(item.modified);
    }

    fn subtract(&mut self, item: &Item) {
        self.objects = self.objects.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(item.size);
        let count = &mut self.verdicts[item.verdict as usize];
        *count = count.saturating_sub(1);
        for flag in item.flags.iter() {
            let count = &mut self.flags[flag as usize];
            *count = count.saturating_sub(1);
        }
    }

    /// Objects with a verdict.
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts[verdict as usize]
    }

    /// Objects with a flag.
    pub fn with(&self, flag: Flag) -> u64 {
        self.flags[flag as usize]
    }
}

/// What is known of a member while it is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its number: of the object, or of the row of a plan.
    pub index: u32,
    /// Bytes.
    pub size: u64,
    /// Last change.
    pub modified: Option<Timestamp>,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its flags.
    pub flags: Flags,
}

/// One group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// Which.
    pub id: GroupId,
    /// Its groups, by number; empty if it holds members directly.
    pub groups: Range<usize>,
    /// Its members, by position; those of its groups included.
    pub members: Range<usize>,
    /// What it comes to.
    pub tally: GroupTally,
}

/// How groups and members are ordered.
pub struct GroupOrder<'a> {
    /// Compares groups of one level.
    pub groups: &'a dyn Fn(&Group, &Group) -> Ordering,
    /// A number for each member that grows in the order wanted; equal ones stand by number. `None` to have all by number.
    pub members: Option<&'a dyn Fn(u32) -> u64>,
}

/// Groups and members in the order in which they are shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupTree {
    groups: Vec<Group>,
    pub(super) roots: usize,
    members: Vec<u32>,
    by_id: HashMap<GroupId, usize>,
    /// For orders other than by number.
    ordered: Option<Ordered>,
}

/// Members by number, as they are looked up, and where each stands in the order.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Ordered {
    by_number: Vec<u32>,
    /// The position of each of `by_number`.
    positions: Vec<u32>,
}

/// Tells `sink` the bucket of every item; called twice, and must say the same both times.
pub type ItemSource<'a> = &'a dyn Fn(&mut dyn FnMut(usize, &Item));

impl GroupTree {
    /// Gathers items under `ids`: bucket number `n` of `source` is the group `ids[n]`. Empty groups are left out.
    pub fn gather(ids: &[GroupId], source: ItemSource<'_>, order: &GroupOrder<'_>) -> Self {
        let mut tallies = vec![GroupTally::default(); ids.len()];
        source(&mut |bucket, item| tallies[bucket].add(item));
        let mut leaves: Vec<(Group, usize)> = ids
            .iter()
            .zip(&tallies)
            .enumerate()
            .filter(|(_, (_, tally))| tally.objects > 0)
            .map(|(bucket, (id, tally))| (Group { id: id.clone(), groups: 0..0, members: 0..0, tally: *tally }, bucket))
            .collect();
        leaves.sort_by(|(a, _), (b, _)| {
            let rank = |group: &Group| group.id.finding.map(Finding::rank);
            rank(a).cmp(&rank(b)).then_with(|| (order.groups)(a, b))
        });
        let mut tree = Self::default();
        let mut next = vec![0; ids.len()];
        let mut start = 0;
        for (leaf, bucket) in &mut leaves {
            let count = usize::try_from(leaf.tally.objects).unwrap_or(usize::MAX);
            leaf.members = start..start + count;
            next[*bucket] = start;
            start += count;
        }
        tree.members = vec![0; start];
        source(&mut |bucket, item| {
            tree.members[next[bucket]] = item.index;
            next[bucket] += 1;
        });
        tree.adopt(leaves.into_iter().map(|(leaf, _)| leaf).collect());
        tree.sort_members(order);
        tree
    }

    fn adopt(&mut self, leaves: Vec<Group>) {
        let mut roots: Vec<Group> = Vec::new();
        let mut below: Vec<Group> = Vec::new();
        for leaf in leaves {
            let Some(parent) = leaf.id.parent() else {
                roots.push(leaf);
                continue;
            };
            if roots.last().is_none_or(|root| root.id != parent) {
                let (at, member) = (below.len(), leaf.members.start);
                roots.push(Group { id: parent, groups: at..at, members: member..member, tally: GroupTally::default() });
            }
            if let Some(root) = roots.last_mut() {
                root.groups.end += 1;
                root.members.end = leaf.members.end;
                root.tally.absorb(&leaf.tally);
            }
            below.push(leaf);
        }
        self.roots = roots.len();
        for root in &mut roots {
            if !root.groups.is_empty() {
                root.groups = root.groups.start + self.roots..root.groups.end + self.roots;
            }
        }
        roots.extend(below);
        self.by_id = roots.iter().enumerate().map(|(at, group)| (group.id.clone(), at)).collect();
        self.groups = roots;
    }

    fn sort_members(&mut self, order: &GroupOrder<'_>) {
        let Some(weight) = order.members else { return };
        let by_number = self.members.clone();
        let mut positions = vec![0; by_number.len()];
        for group in self.groups.iter().filter(|group| group.groups.is_empty()) {
            let members = &by_number[group.members.clone()];
            let mut order: Vec<(u64, u32)> = members.iter().map(|member| weight(*member)).zip(0..).collect();
            order.sort_unstable();
            for (at, (_, from)) in group.members.clone().zip(&order) {
                self.members[at] = members[*from as usize];
                positions[group.members.start + *from as usize] = at as u32;
            }
        }
        self.ordered = Some(Ordered { by_number, positions });
    }

    /// Every group, roots first.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups that stand at the top.
    pub fn roots(&self) -> &[Group] {
        &self.groups[..self.roots]
    }

    /// The group of that name.
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.by_id.get(id).map(|at| &self.groups[*at])
    }

    /// The members at these positions.
    pub fn members(&self, positions: Range<usize>) -> &[u32] {
        self.members.get(positions).unwrap_or_default()
    }

    /// The number of a group among [`GroupTree::groups`].
    pub fn number(&self, id: &GroupId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Where a member of a group stands.
    pub fn position(&self, id: &GroupId, member: u32) -> Option<usize> {
        let group = self.group(id).filter(|group| group.groups.is_empty())?;
        let found = group.members.start + self.by_number(group).binary_search(&member).ok()?;
        match &self.ordered {
            Some(ordered) => ordered.positions.get(found).map(|at| *at as usize),
            None => Some(found),
        }
    }

    /// The members of a group that holds members directly, by number whatever the order.
    pub fn by_number(&self, group: &Group) -> &[u32] {
        let members = self.ordered.as_ref().map_or(&self.members, |ordered| &ordered.by_number);
        members.get(group.members.clone()).unwrap_or_default()
    }

    /// The groups that hold the members of a group directly: itself, or those in it.
    pub fn leaves<'t>(&'t self, group: &'t Group) -> &'t [Group] {
        match group.groups.is_empty() {
            true => std::slice::from_ref(group),
            false => self.groups.get(group.groups.clone()).unwrap_or_default(),
        }
    }

    /// Takes one item out of the counts of a group and of what holds it; its place among the members stays.
    pub fn forget(&mut self, id: &GroupId, item: &Item) {
        for id in [Some(id.clone()), id.parent()].into_iter().flatten() {
            if let Some(at) = self.by_id.get(&id) {
                self.groups[*at].tally.subtract(item);
            }
        }
    }
}

impl GroupTally {
    fn absorb(&mut self, other: &GroupTally) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.verdicts.iter_mut().zip(other.verdicts).for_each(|(sum, more)| *sum += more);
        self.flags.iter_mut().zip(other.flags).for_each(|(sum, more)| *sum += more);
        self.newest = self.newest.max(other.newest);
    }
}

/// Which groups are open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenGroups {
    all: bool,
    /// Exceptions from `all`.
    except: std::collections::HashSet<GroupId>,
}

impl OpenGroups {
    /// Whether the group is open.
    pub fn is_open(&self, id: &GroupId) -> bool {
        self.all != self.except.contains(id)
    }

    /// Opens or closes one.
    pub fn set(&mut self, id: &GroupId, open: bool) {
        if open == self.all {
            self.except.remove(id);
        } else {
            self.except.insert(id.clone());
        }
    }

    /// Opens or closes all.
    pub fn set_all(&mut self, open: bool) {
        *self = Self { all: open, except: Default::default() };
    }
}
