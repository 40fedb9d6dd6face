//! Where the programs are that `tools/setup.sh` installs.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// A program of the machine's.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| missing(name))
}

/// A command line in which MCP Inspector's follows. What it keeps, it keeps in `home`.
pub(crate) fn inspector(home: &Path) -> Command {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools");
    let package = tools.join("node_modules/@modelcontextprotocol/inspector");
    let main = package.join("clients/launcher/build/index.js");
    if !main.is_file() {
        missing("MCP Inspector");
    }
    let mut command = Command::new(tools.join("node"));
    command
        .arg(main)
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("MCP_INSPECTOR_SECRET_STORE", "memory");
    command
}

pub(crate) fn missing(what: &str) -> ! {
    panic!("{what} is not installed: run `make tools` (tools/setup.sh) first")
}
