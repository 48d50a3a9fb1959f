//! A team for tests: one task of each kind, one agent of each kind, and hostile texts.

use super::*;

/// 2026-11-20T14:47:05Z
pub const NOW: Timestamp = Timestamp(1_795_186_025_000);
const MINUTE: i64 = 60_000;

fn ago(minutes: i64) -> Timestamp {
    Timestamp(NOW.0 - minutes * MINUTE)
}

pub fn card(id: &str, group: Group) -> Card {
    Card {
        id: id.parse().unwrap(),
        title: format!("The task {id}"),
        group,
        priority: Priority::P2,
        who: None,
        reviewer: None,
        needs_human: false,
        reason: None,
        since: ago(90),
        submission: None,
        provisional: false,
    }
}

fn submitted() -> Option<Submitted> {
    Some(Submitted {
        event: "01SUBMITTED".to_owned(),
        commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
    })
}

fn member(name: &str, life: Liveness, seen: i64) -> Member {
    Member {
        name: name.to_owned(),
        is_human: false,
        role: None,
        life,
        seen: Some(ago(seen)),
        note: None,
        holds: Vec::new(),
    }
}

fn holds(id: &str, what: &str, is_active: bool) -> Vec<Holds> {
    vec![Holds {
        task: Some(id.parse().unwrap()),
        what: what.to_owned(),
        is_active,
    }]
}

pub fn picture(me: Option<&str>) -> Picture {
    let who = |name: &str| Some(name.to_owned());
    let cards = vec![
        Card {
            who: who("echo"),
            needs_human: true,
            reason: who("which bank do we use?"),
            priority: Priority::P0,
            title: "Pay by card".to_owned(),
            ..card("b00001", Group::Blocked)
        },
        Card {
            who: who("kai"),
            reviewer: who("ann"),
            submission: submitted(),
            title:
                "ログインの修正 after a very long title that no line of eighty columns has room for"
                    .to_owned(),
            ..card("r00001", Group::InReview)
        },
        Card {
            who: who("link"),
            submission: submitted(),
            ..card("a00001", Group::Approved)
        },
        Card {
            who: who("kai"),
            provisional: true,
            since: ago(2),
            ..card("d00001", Group::Doing)
        },
        Card {
            who: who("link"),
            submission: submitted(),
            ..card("e00001", Group::Done)
        },
        card("t00001", Group::Todo),
    ];
    let letter = |id: &str, to: &str, body: &str, is_unread| Letter {
        id: id.to_owned(),
        at: ago(7),
        from: "link".to_owned(),
        to: to.to_owned(),
        body: body.to_owned(),
        task: None,
        urgent: false,
        is_unread,
    };
    let mut letters = vec![letter(
        "01B",
        "#general",
        "who knows the header?\nIt is odd.",
        false,
    )];
    if let Some(me) = me {
        letters.insert(0, letter("01C", me, "please look at r00001", true));
    }
    Picture {
        read: NOW,
        agents: vec![
            Member {
                holds: holds("b00001", "Pay by card", true),
                note: who("asked the bank"),
                ..member("echo", Liveness::Stale, 42)
            },
            Member {
                holds: holds("d00001", "The task d00001", true),
                ..member("kai", Liveness::Active, 0)
            },
            member("link", Liveness::Idle, 12),
            Member {
                is_human: true,
                ..member("ann", Liveness::Offline, 600)
            },
        ],
        cards,
        letters,
        paused: None,
        read_only: match me {
            Some(_) => None,
            None => Some(
                "read-only, as nobody acts here: reflectt join NAME, or reflectt --as NAME ui"
                    .to_owned(),
            ),
        },
    }
}
