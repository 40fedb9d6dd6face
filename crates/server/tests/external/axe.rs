//! axe-core, which knows what keeps people from using a page.

use std::{fs, path::Path};

use crate::{chromium::Chromium, tools};

/// What it finds wrong with the page that is shown, each with the elements it is about.
pub(crate) async fn violations(browser: &Chromium) -> Vec<String> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools");
    let source = fs::read_to_string(tools.join("node_modules/axe-core/axe.min.js"));
    let source = source.unwrap_or_else(|_| tools::missing("axe-core"));
    // A page of which it looks at little is one that it cannot read.
    let run = "return axe.run().then(({ passes, violations }) =>
        [`${passes.length} rules are kept`, ...violations.map((violation) =>
            `${violation.id}: ${violation.nodes.map((node) => node.html).join(' ')}`)]);";
    let found = browser.script(&format!("{source};\n{run}")).await;
    let mut found: Vec<String> = serde_json::from_value(found).unwrap();
    let kept = found.remove(0);
    assert!(kept.split(' ').next().unwrap().parse::<u32>().unwrap() > 10, "{kept}");
    found
}
