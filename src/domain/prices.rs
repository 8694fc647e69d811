//! What stores charge: the one place of prices.

use super::requests::{Class, Requests};

/// Prices in dollars. What is free of charge in each month is not taken off.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Prices {
    /// For a GB (10^9 bytes) that is stored for a month, in every class but the other one.
    pub standard: f64,
    /// The same in the infrequent-access class.
    pub infrequent: f64,
    /// For requests; `None` where nobody said what the store charges.
    pub requests: Option<RequestPrices>,
}

/// Dollars for a million requests.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RequestPrices {
    /// Of [`Class::A`]: lists, writes, copies.
    pub class_a: f64,
    /// Of [`Class::B`]: reads.
    pub class_b: f64,
}

impl Default for Prices {
    /// R2's for storage (developers.cloudflare.com/r2/pricing, "R2 pricing"): $0.015 and $0.01.
    fn default() -> Self {
        Self { standard: 0.015, infrequent: 0.01, requests: None }
    }
}

impl Prices {
    /// What it costs to store so many bytes of the standard class for a month.
    pub fn a_month(&self, bytes: u64) -> f64 {
        bytes as f64 / 1e9 * self.standard
    }

    /// What these requests cost, if the store is known to charge for them.
    pub fn of_requests(&self, requests: &Requests) -> Option<f64> {
        self.requests.map(|prices| prices.of(requests))
    }

    /// What so many pages of listings cost, if the store is known to charge for them.
    pub fn of_lists(&self, count: u64) -> Option<f64> {
        self.of_requests(&Requests::lists(count))
    }
}

impl RequestPrices {
    /// R2's for standard storage (developers.cloudflare.com/r2/pricing, "R2 pricing").
    pub const R2: Self = Self { class_a: 4.5, class_b: 0.36 };
    /// Amazon's for S3 Standard in us-east-1: $0.005 and $0.0004 for a thousand (aws.amazon.com/s3/pricing, "Requests &
    /// data retrievals").
    pub const AWS: Self = Self { class_a: 5.0, class_b: 0.4 };

    /// What these requests cost.
    pub fn of(&self, requests: &Requests) -> f64 {
        let count = |class| requests.of_class(class) as f64;
        (count(Class::A) * self.class_a + count(Class::B) * self.class_b) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::requests::Request;

    fn check(prices: RequestPrices, requests: &[(Request, u64)], expected: f64) {
        let mut counted = Requests::default();
        requests.iter().for_each(|(request, count)| counted.add(*request, *count));
        let found = prices.of(&counted);
        assert!((found - expected).abs() < 1e-9, "{requests:?}: {found} instead of {expected}");
    }

    #[test]
    fn a_million_lists_cost_what_the_store_asks_and_deletions_nothing() {
        let million = 1_000_000;
        check(RequestPrices::R2, &[(Request::List, million)], 4.5);
        check(RequestPrices::AWS, &[(Request::List, million)], 5.0);
        check(RequestPrices::R2, &[(Request::Copy, million), (Request::Head, 2 * million)], 5.22);
        check(RequestPrices::R2, &[(Request::Delete, million), (Request::DeleteMany, million)], 0.0);
    }

    #[test]
    fn storage_and_requests_have_their_own_prices() {
        let prices = Prices::default();
        assert_eq!(prices.of_lists(7), None);
        assert_eq!(prices.a_month(1_000_000_000_000), 15.0);
        let prices = Prices { requests: Some(RequestPrices::R2), ..prices };
        assert_eq!(prices.of_lists(2_000_000), Some(9.0));
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for request in Request::ALL {
            let mut counted = Requests::default();
            counted.add_named(request.name(), 3);
            assert_eq!((counted.of(request), counted.total()), (3, 3), "{request}");
        }
    }
}
