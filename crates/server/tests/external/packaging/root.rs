//! A file system of a process's own.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{it::support::binary, tools::program};

/// A folder that is the root of whatever runs in it. It goes with the test.
pub(super) struct Root(tempfile::TempDir);

impl Root {
    /// One with nothing in it.
    pub(super) fn new() -> Self {
        let root = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(root.0.path(), Permissions::from_mode(0o755)).unwrap();
        root
    }

    /// Where this path of it is for everybody else.
    pub(super) fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside.trim_start_matches('/'))
    }

    pub(super) fn write(&self, inside: &str, text: &str) {
        fs::write(self.place(inside), text).unwrap();
    }

    pub(super) fn copy(&self, from: &Path, inside: &str) {
        fs::copy(from, self.place(inside)).unwrap();
    }

    /// The binary under test, with the libraries that it needs where it is not static.
    pub(super) fn put_binary(&self, inside: &str) {
        let binary = PathBuf::from(binary().get_program());
        self.copy(&binary, inside);
        let output = Command::new(program("ldd")).arg(&binary).output().unwrap();
        let listed = String::from_utf8(output.stdout).unwrap();
        let words = listed.lines().flat_map(str::split_whitespace);
        for library in words.filter(|word| word.starts_with('/')) {
            self.copy(Path::new(library), library);
        }
    }

    /// What runs an executable of it as this user and group, with this environment and no other.
    pub(super) fn command(
        &self,
        [user, group]: [u32; 2],
        environment: &BTreeMap<String, String>,
        words: &[String],
    ) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new(program("chroot"));
            command.arg(format!("--userspec={user}:{group}")).arg(self.0.path());
            command
        } else {
            let mut command = Command::new(program("unshare"));
            command.args([
                "--user",
                &format!("--map-user={user}"),
                &format!("--map-group={group}"),
            ]);
            command.arg("--root").arg(self.0.path()).arg("--");
            command
        };
        command.args(words).env_clear().envs(environment);
        command
    }

    fn place(&self, inside: &str) -> PathBuf {
        let place = self.path(inside);
        let mut folder = self.0.path().to_owned();
        for part in Path::new(inside.trim_start_matches('/')).parent().unwrap() {
            folder.push(part);
            if !folder.is_dir() {
                fs::create_dir(&folder).unwrap();
                fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
            }
        }
        place
    }
}

/// Who may have a port below 1024, and change the root without a namespace.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}
