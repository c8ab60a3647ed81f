//! PostgreSQL refuses to run as root: whom it runs as then.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::Error;

/// The user that everybody has who has no `postgres`.
const NOBODY: u32 = 65534;

/// The user to drop to.
#[derive(Clone, Debug)]
pub(crate) struct RunAs {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) name: String,
}

impl RunAs {
    /// `None` for a normal user, who stays who they are. Data that is there belongs to somebody: only they can use it.
    pub(crate) fn choose(postgres_data: &Path) -> Result<Option<Self>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = Path::new("/etc/passwd");
        let users = fs::read_to_string(users).map_err(Error::io("read", users))?;
        let owner = fs::metadata(postgres_data).ok().filter(|data| data.uid() != 0);
        Ok(Some(match owner {
            Some(data) => by_uid(&users, data.uid(), data.gid()),
            None => by_name(&users, "postgres").unwrap_or_else(|| by_uid(&users, NOBODY, NOBODY)),
        }))
    }
}

/// A command as that user, in a directory that everybody can reach, without settings that were meant for clients.
pub(crate) fn command(program: &Path, run_as: Option<&RunAs>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
    if let Some(user) = run_as {
        // With a user of its own, the child also loses the supplementary groups of root.
        command.uid(user.uid).gid(user.gid);
    }
    command
}

fn by_name(users: &str, name: &str) -> Option<RunAs> {
    users.lines().filter_map(parse).find(|user| user.name == name)
}

fn by_uid(users: &str, uid: u32, gid: u32) -> RunAs {
    let known = users.lines().filter_map(parse).find(|user| user.uid == uid);
    known.unwrap_or_else(|| RunAs { uid, gid, name: format!("with uid {uid}") })
}

/// A line of passwd(5): name, password, uid, gid and more, with colons between.
fn parse(line: &str) -> Option<RunAs> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(RunAs { uid, gid, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\n+::::::\npostgres:x:101:104:PostgreSQL:/:/bin/sh\n";

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let postgres = by_name(USERS, "postgres").expect("it is listed");
        assert_eq!((postgres.uid, postgres.gid), (101, 104));
        assert!(by_name(USERS, "mysql").is_none());
        assert_eq!(by_uid(USERS, 101, 7).name, "postgres");
        assert_eq!(by_uid(USERS, NOBODY, NOBODY).name, "with uid 65534");
    }
}
