//! `gzipFileAsResource`: compresses a file and keeps it as a resource of the caller's.

use std::{
    io::{self, Write as _},
    num::NonZero,
    sync::Arc,
    thread,
};

use flate2::{Compression, GzBuilder};
use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::{
    Call, CallError, Definition, Glyph, Tool, data_url, resources::shelved, shelf::Shelved,
};

pub(super) struct GzipFileAsResource {
    /// For compressing: half of the cores, so that the other half answers everybody else.
    places: Arc<Semaphore>,
}

impl Default for GzipFileAsResource {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self { places: Arc::new(Semaphore::new((cores / 2).max(1))) }
    }
}

/// The longest file, in bytes.
const MOST: usize = 512 * 1024;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// Name of the compressed file: letters, digits and -._~
    #[serde(default = "usual_name")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9._~-]+$"))]
    name: String,
    /// What to compress: a data: URL, or an https: URL of a public host, of 512 KiB at most
    #[serde(default = "usual_data")]
    #[schemars(length(min = 1, max = 1_000_000))]
    data: String,
    /// Whether the result is a link to the resource or the resource itself
    #[serde(rename = "outputType", default)]
    output: Output,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Output {
    #[default]
    ResourceLink,
    Resource,
}

fn usual_name() -> String {
    "README.md.gz".to_owned()
}

/// Needs no network, and is worth compressing.
fn usual_data() -> String {
    "data:text/markdown,%23%20MCP%20Everything%20Server%0A%0AEvery%20feature%20of%20the%20Model\
     %20Context%20Protocol%20on%20one%20server.%0A"
        .to_owned()
}

impl Tool for GzipFileAsResource {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "gzipFileAsResource",
            "Compress a file",
            "Compresses what a URL leads to with gzip, and keeps it for a day as a resource of \
             yours. Your clients are told that the list of resources has changed",
        )
        .icon(Glyph::Data)
        .writes(true)
        .open_world(true)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { name, data, output } = input;
        if !shelved::is_name(&name) {
            return Err(CallError::failed("The name must be other than . and .."));
        }
        let file = plain(&data, call).await?;
        if file.len() > MOST {
            let (bytes, reason) = (file.len(), "and no more than 524288 are compressed.");
            return Err(CallError::failed(format!("The file has {bytes} bytes, {reason}")));
        }
        let place = tokio::select! {
            place = Arc::clone(&self.places).acquire_owned() => place,
            () = call.cancelled() => return Err(CallError::Cancelled),
        };
        let place = place.map_err(|error| CallError::failed(error.to_string()))?;
        // It keeps its place until it is done, whoever waits for it.
        let compressing = move || (gzip(&file), drop(place)).0;
        let compressed = tokio::task::spawn_blocking(compressing).await;
        let compressed = compressed.map_err(io::Error::other).and_then(|done| done);
        let compressed = compressed.map_err(|error| CallError::failed(error.to_string()))?;
        let (on_shelf, bytes) = (shelved::file(&name), compressed.len());
        let result = match output {
            Output::ResourceLink => {
                let about = Shelved { bytes, at: call.now() };
                ContentBlock::resource_link(shelved::describe(&on_shelf, Some(about)))
            }
            Output::Resource => {
                ContentBlock::resource(shelved::file_contents(&on_shelf, &compressed))
            }
        };
        call.shelf().put(&on_shelf, compressed).await?;
        Ok(CallToolResult::success(vec![result]))
    }
}

/// What is to be compressed.
async fn plain(url: &str, call: &Call<'_>) -> Result<Vec<u8>, CallError> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    if scheme.eq_ignore_ascii_case("data") {
        return data_url::decode(rest).map_err(CallError::failed);
    }
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(CallError::failed("Only data: and https: URLs are taken."));
    }
    let fetched = tokio::select! {
        fetched = call.fetch().get(url, MOST) => fetched,
        () = call.cancelled() => return Err(CallError::Cancelled),
    };
    fetched.map_err(|error| CallError::failed(format!("The URL was not fetched: {error}.")))
}

/// The same bytes for the same file.
fn gzip(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    gzip.write_all(file)?;
    gzip.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_was_compressed_comes_out_again() {
        let usual = data_url::decode(usual_data().strip_prefix("data:").unwrap()).unwrap();
        assert!(usual.starts_with(b"# MCP Everything Server\n"));
        for file in [&usual[..], b"", &vec![7; MOST]] {
            let compressed = gzip(file).unwrap();
            assert_eq!(compressed, gzip(file).unwrap());
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut plain).unwrap();
            assert!(plain == file);
        }
        assert!(shelved::is_name(&usual_name()));
    }
}
