//! The manual's examples on real packets: what a page says of a connection is where it goes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dns_support;
mod docs_lab;
mod docs_support;
mod packet_support;
mod tunnel_support;

use docs_lab::stage::stages;
use docs_support::page::pages;

/// Each test plays a part of all stages, so that they run side by side.
const PARTS: usize = 6;

fn play(part: usize) {
    let pages = pages();
    let all: Vec<_> = pages.iter().flat_map(stages).collect();
    assert!(all.len() >= PARTS, "only {} stages were found", all.len());
    for stage in all.iter().skip(part).step_by(PARTS) {
        println!("{}:{}", stage.page.path, stage.line);
        stage.play();
    }
}

#[test]
fn stages_1() {
    lab::isolated(|| play(0));
}

#[test]
fn stages_2() {
    lab::isolated(|| play(1));
}

#[test]
fn stages_3() {
    lab::isolated(|| play(2));
}

#[test]
fn stages_4() {
    lab::isolated(|| play(3));
}

#[test]
fn stages_5() {
    lab::isolated(|| play(4));
}

#[test]
fn stages_6() {
    lab::isolated(|| play(5));
}
