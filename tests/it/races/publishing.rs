//! The moments between two refs that no race of processes hits often enough, one by one.

use reflectt::git::{Advisory, Repo as GitRepo};
use reflectt::model::name::Author;
use reflectt::model::time::Timestamp;
use reflectt::store::{Changes, Origin, Published, Store};

use super::team;
use crate::support::TestEnv;
use crate::support::check::agree;

/// Read between the two refs of another's transaction, the record is old and the table is new. What
/// is decided by such a pair must not be published, even if it changes the table alone: mending
/// what looks torn would undo the other's move.
#[test]
fn a_table_decided_by_an_old_record_is_not_published() {
    for format in ["files", "reftable"] {
        let env = TestEnv::new();
        let (repo, names) = team(&env, 2, format);
        let id = repo.task(&names[0], "Keep the return path", &[]);
        repo.as_agent(&names[0], ["claim", &id]).ok();
        let store = Store::new(GitRepo::discover(repo.path()).unwrap());
        let old = store.snapshot().unwrap().tip;
        repo.as_agent(&names[0], ["block", &id, "--reason", "no key"])
            .ok();

        let torn = store
            .snapshot_at(old, store.snapshot().unwrap().table_tip)
            .unwrap();
        let mut table = torn.table().unwrap().clone();
        table.epoch += 1;
        let changes = Changes {
            subject: "mend".to_owned(),
            table: Some(table),
            ..Changes::default()
        };
        let origin = Origin {
            author: Author::reflectt(),
            now: Timestamp(0),
        };
        let published = store.publish(&torn, &changes, &origin, Advisory::NotHeld);
        assert_eq!(published.unwrap(), Published::Lost);
        agree(&repo);
    }
}
