//! Takes back what a failed run has done so far, last step first.

use super::fill::{self, Filled};
use crate::kernel::{Error, Kernel};
use crate::plan::state::{IpRule, Route};

#[derive(Default)]
pub(super) struct Undo(Vec<Step>);

enum Step {
    DeleteRoute(Route),
    AddRoute(Route),
    ReplaceRoute(Route),
    DeleteRule(IpRule),
    AddRule(IpRule),
    Nft(String),
    Filled(Filled),
}

impl Undo {
    pub fn delete_route(&mut self, route: &Route) {
        self.0.push(Step::DeleteRoute(route.clone()));
    }

    pub fn add_route(&mut self, route: &Route) {
        self.0.push(Step::AddRoute(route.clone()));
    }

    pub fn replace_route(&mut self, route: &Route) {
        self.0.push(Step::ReplaceRoute(route.clone()));
    }

    pub fn delete_rule(&mut self, rule: &IpRule) {
        self.0.push(Step::DeleteRule(rule.clone()));
    }

    pub fn add_rule(&mut self, rule: &IpRule) {
        self.0.push(Step::AddRule(rule.clone()));
    }

    pub fn nft(&mut self, document: &str) {
        self.0.push(Step::Nft(document.to_owned()));
    }

    pub fn filled(&mut self, filled: Filled) {
        self.0.push(Step::Filled(filled));
    }

    /// The new state is in use: taking back what it stands on would break it.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// Goes back as far as it can, and says what it could not take back.
    pub fn run(self, kernel: &mut Kernel) -> Vec<Error> {
        let take_back = |step| match step {
            Step::DeleteRoute(route) => kernel.delete_route(&route),
            Step::AddRoute(route) => kernel.add_route(&route),
            Step::ReplaceRoute(route) => kernel.replace_route(&route),
            Step::DeleteRule(rule) => kernel.delete_rule(&rule),
            Step::AddRule(rule) => kernel.add_rule(&rule),
            Step::Filled(filled) => fill::take_back(kernel, &filled),
            Step::Nft(document) => kernel.nft_apply("take back the new maps", &document),
        };
        self.0.into_iter().rev().map(take_back).filter_map(Result::err).collect()
    }
}
