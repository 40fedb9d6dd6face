//! The page for operators lists every key.

use mcp_everything_store::{
    KeyStore as _, SecretKeys, SystemRandom,
    oauth::{DocumentKind, Documents as _, OAuthStore as _, Replays as _},
};

use super::{
    Harness,
    fixture::{MINUTE, attempt, body, client, document, grant, id, name},
};

const PAGE: &str = include_str!("../../../../../docs/storage.md");

/// Whether a key is one of those a pattern of the page stands for.
fn stands_for(pattern: &str, key: &str) -> bool {
    let placeholder = ["{client_id}", "{hash}", "{id}", "{user}", "{kind}:{url}"]
        .into_iter()
        .find_map(|placeholder| pattern.split_once(placeholder));
    match placeholder {
        Some((before, after)) => {
            let rest = key.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            rest.is_some_and(|rest| !rest.is_empty())
        }
        None => pattern == key,
    }
}

#[tokio::test]
async fn the_page_lists_every_key_and_no_other() {
    let Harness { server, store } = Harness::new().await;
    store.secret_keys(&SecretKeys::generate(&SystemRandom)).await.unwrap();
    store.put_client(&client("a"), MINUTE, 9).await.unwrap();
    store.put_client(&client("b"), MINUTE, 9).await.unwrap();
    store.prolong_client("a", MINUTE).await.unwrap();
    store.put_pending(&name(1), &body(1), MINUTE).await.unwrap();
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
    store.put_code(&name(1), &body(1), MINUTE).await.unwrap();
    store.put_access_token(&name(1), &body(1), MINUTE).await.unwrap();
    store.put_refresh_family(&name(1), &body(1), MINUTE).await.unwrap();
    store.remember_once(&name(1), &attempt(), MINUTE).await.unwrap();
    let (kind, url) = (DocumentKind::Client, "https://client.example/");
    store.keep_document(kind, url, &document(), MINUTE).await.unwrap();

    let section = PAGE.split("\n## ").find(|section| section.starts_with("OAuth state\n"));
    let rows: Vec<(&str, &str)> = section
        .unwrap()
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            Some((cells.next()?.strip_suffix('`')?, cells.next()?))
        })
        .collect();
    let kinds = r"
        local answer = {}
        for _, key in ipairs(redis.call('KEYS', '*')) do
          table.insert(answer, key .. ' ' .. redis.call('TYPE', key).ok)
        end
        return answer";
    let answer = server.ask(&["EVAL", kinds, "0"]).unwrap();
    let keys: Vec<_> = answer.lines().filter_map(|line| line.split_once(' ')).collect();
    assert!(keys.len() > 10, "{answer}");
    for (key, kind) in &keys {
        let kind = if *kind == "zset" { "sorted set" } else { kind };
        let row = rows.iter().find(|(pattern, _)| stands_for(pattern, key));
        assert_eq!(row.map(|(_, said)| *said), Some(kind), "{key}");
    }
    for (pattern, _) in &rows {
        assert!(keys.iter().any(|(key, _)| stands_for(pattern, key)), "nothing is at {pattern}");
    }
}
