//! Requests to a store by their kind, and by what stores charge for them.

use std::fmt;

/// A kind of request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Request {
    /// A page of a listing.
    List,
    /// A look at an object without its content.
    Head,
    /// Content.
    Get,
    /// A new object.
    Put,
    /// A copy within the bucket; one by parts counts once.
    Copy,
    /// A deletion of many keys.
    DeleteMany,
    /// A deletion of one key.
    Delete,
    /// Reading the lifecycle rules.
    ReadRules,
    /// Writing the lifecycle rules.
    WriteRules,
    /// A page of uploads.
    ListUploads,
    /// The end of an upload.
    AbortUpload,
}

/// What a request is charged as. R2 calls the dearer ones class A and the cheaper ones class B
/// (developers.cloudflare.com/r2/pricing, "Operations"); Amazon has the same two prices for "PUT, COPY, POST, LIST" and
/// for "GET, SELECT, and all other requests" (aws.amazon.com/s3/pricing).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// What lists or writes.
    A,
    /// What reads.
    B,
    /// What deletes or aborts: free of charge on both.
    Free,
}

impl Request {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Request; 11] = [
        Request::List,
        Request::Head,
        Request::Get,
        Request::Put,
        Request::Copy,
        Request::DeleteMany,
        Request::Delete,
        Request::ReadRules,
        Request::WriteRules,
        Request::ListUploads,
        Request::AbortUpload,
    ];

    /// The word for it in every output and record.
    pub fn name(self) -> &'static str {
        match self {
            Request::List => "list",
            Request::Head => "head",
            Request::Get => "get",
            Request::Put => "put",
            Request::Copy => "copy",
            Request::DeleteMany => "delete-many",
            Request::Delete => "delete",
            Request::ReadRules => "read-rules",
            Request::WriteRules => "write-rules",
            Request::ListUploads => "list-uploads",
            Request::AbortUpload => "abort-upload",
        }
    }

    /// What it is charged as.
    pub fn class(self) -> Class {
        match self {
            Request::List | Request::Put | Request::Copy | Request::WriteRules | Request::ListUploads => Class::A,
            Request::Head | Request::Get | Request::ReadRules => Class::B,
            Request::DeleteMany | Request::Delete | Request::AbortUpload => Class::Free,
        }
    }
}

/// How many requests of each kind were made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Requests([u64; Request::ALL.len()]);

impl Requests {
    /// So many pages of listings.
    pub fn lists(count: u64) -> Self {
        let mut requests = Self::default();
        requests.add(Request::List, count);
        requests
    }

    /// Counts so many more.
    pub fn add(&mut self, request: Request, count: u64) {
        self.0[request as usize] += count;
    }

    /// Counts so many more of the kind that is called so; a name that no kind has counts for nothing.
    pub fn add_named(&mut self, name: &str, count: u64) {
        if let Some(request) = Request::ALL.into_iter().find(|request| request.name() == name) {
            self.add(request, count);
        }
    }

    /// Requests of this kind.
    pub fn of(&self, request: Request) -> u64 {
        self.0[request as usize]
    }

    /// Requests that are charged so.
    pub fn of_class(&self, class: Class) -> u64 {
        self.iter().filter(|(request, _)| request.class() == class).map(|(_, count)| count).sum()
    }

    /// Requests of any kind.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The kinds that were made, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Request, u64)> {
        Request::ALL.into_iter().map(|request| (request, self.of(request))).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
