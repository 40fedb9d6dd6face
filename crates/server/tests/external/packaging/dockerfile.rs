//! `deploy/Dockerfile`, as far as it says what is in the image and how that runs.

use std::collections::BTreeMap;

use super::read;

/// The last stage: the image.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) base: String,
    /// What is copied from the stage before, and to where.
    pub(super) copies: Vec<(String, String)>,
    pub(super) user: [u32; 2],
    pub(super) environment: BTreeMap<String, String>,
    pub(super) port: String,
    pub(super) stop_signal: String,
    pub(super) healthcheck: Vec<String>,
    pub(super) entrypoint: Vec<String>,
    pub(super) command: Vec<String>,
}

/// Each stage's base, in turn, and the image.
pub(super) fn dockerfile() -> (Vec<String>, Image) {
    let text = read("deploy/Dockerfile");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let (mut bases, mut image) = (Vec::new(), Image::default());
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (instruction, rest) = line.split_once(' ').unwrap();
        match instruction {
            "FROM" => {
                let base = rest.split(' ').next().unwrap().to_owned();
                image = Image { base: base.clone(), ..Image::default() };
                bases.push(base);
            }
            "COPY" => {
                let words = rest.strip_prefix("--from=build ").unwrap_or(rest);
                let (from, to) = words.split_once(' ').unwrap();
                image.copies.push((from.to_owned(), to.to_owned()));
            }
            "USER" => {
                let ids = rest.split(':').map(|id| id.parse().expect("it is a number"));
                image.user = ids.collect::<Vec<u32>>().try_into().expect("a user and a group");
            }
            "ENV" => {
                let pairs = rest.split_whitespace().map(|pair| pair.split_once('=').unwrap());
                image.environment.extend(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())));
            }
            "EXPOSE" => rest.clone_into(&mut image.port),
            "STOPSIGNAL" => rest.clone_into(&mut image.stop_signal),
            "HEALTHCHECK" => image.healthcheck = words(rest.split_once("CMD ").unwrap().1),
            "ENTRYPOINT" => image.entrypoint = words(rest),
            "CMD" => image.command = words(rest),
            "LABEL" | "RUN" | "WORKDIR" => {}
            other => panic!("the image cannot be made here: it has {other}"),
        }
    }
    (bases, image)
}

/// The exec form: without a shell, which the image has not.
fn words(json: &str) -> Vec<String> {
    serde_json::from_str(json).expect("it is in the exec form")
}
