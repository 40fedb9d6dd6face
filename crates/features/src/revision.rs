//! Results as older revisions can read them: each has content of its own kinds only.

use rmcp::model::{CallToolResult, ContentBlock, ProtocolVersion};

/// The result with a text in place of what the revision has no name for. A client that checks what
/// it gets would refuse the whole result.
pub(crate) fn readable(
    mut result: CallToolResult,
    by: impl FnOnce() -> Option<ProtocolVersion>,
) -> CallToolResult {
    // Most results have nothing for which the revision must be known.
    if result.content.iter().any(is_new)
        && let Some(version) = by()
    {
        for block in &mut result.content {
            if let Some(text) = instead(block, &version) {
                *block = ContentBlock::text(text);
            }
        }
    }
    result
}

/// Whether some revision has no name for it.
const fn is_new(block: &ContentBlock) -> bool {
    matches!(block, ContentBlock::Audio(_) | ContentBlock::ResourceLink(_))
}

fn instead(block: &ContentBlock, version: &ProtocolVersion) -> Option<String> {
    match block {
        ContentBlock::Audio(audio) if *version < ProtocolVersion::V_2025_03_26 => {
            Some(format!("[{}: revision {version} has no sound]", audio.mime_type))
        }
        ContentBlock::ResourceLink(link) if *version < ProtocolVersion::V_2025_06_18 => {
            Some(format!("[{}: {}]", link.name, link.uri))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::Resource;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_revision_is_sent_what_it_has() {
        let link = Resource::new("test://1", "One");
        let all = vec![
            ContentBlock::text("text"),
            ContentBlock::audio("AAAA", "audio/wav"),
            ContentBlock::resource_link(link),
        ];
        for (version, kinds) in [
            (ProtocolVersion::V_2024_11_05, ["text", "text", "text"]),
            (ProtocolVersion::V_2025_03_26, ["text", "audio", "text"]),
            (ProtocolVersion::V_2025_06_18, ["text", "audio", "resource_link"]),
            (ProtocolVersion::V_2026_07_28, ["text", "audio", "resource_link"]),
        ] {
            let sent = readable(CallToolResult::success(all.clone()), || Some(version.clone()));
            let sent: Vec<Value> = sent.content.iter().map(|block| json!(block)).collect();
            let named: Vec<&str> =
                sent.iter().map(|block| block["type"].as_str().unwrap()).collect();
            assert_eq!(named, kinds, "{version}");
            if version == ProtocolVersion::V_2024_11_05 {
                assert_eq!(sent[1]["text"], "[audio/wav: revision 2024-11-05 has no sound]");
                assert_eq!(sent[2]["text"], "[One: test://1]");
            }
        }
    }
}
