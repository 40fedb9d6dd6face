//! Whoever reads Redis learns no secret and nothing that a secret is for.

use mcp_everything_store::{
    Random, SystemRandom, Timestamp,
    contract::redis_server::RedisServer,
    oauth::{
        ClientAuth, ClientRecord, CodeGrant, GrantId, IssuedToken, LoginPurpose, OAuthStore as _,
        PendingAuthorization, PendingLogin, Redemption, RefreshFamily, Rotation, Sealed,
        SecretHash,
    },
    redis::keys::oauth as keys,
};

use super::{
    Harness,
    fixture::{MINUTE, attempt, client, grant},
};

/// Says which keys have one of these texts in their name or value.
fn keys_with(server: &RedisServer, texts: &[&str]) -> String {
    const SEARCH: &str = r"
        local found = {}
        for _, key in ipairs(redis.call('KEYS', '*')) do
          local kind = redis.call('TYPE', key).ok
          local texts = {key}
          if kind == 'string' then
            table.insert(texts, redis.call('GET', key))
          elseif kind == 'hash' then
            for _, text in ipairs(redis.call('HGETALL', key)) do table.insert(texts, text) end
          elseif kind == 'zset' then
            for _, text in ipairs(redis.call('ZRANGE', key, 0, -1)) do table.insert(texts, text) end
          else
            error(key .. ' is a ' .. kind)
          end
          local has = false
          for _, text in ipairs(texts) do
            for _, searched in ipairs(ARGV) do
              has = has or string.find(text, searched, 1, true)
            end
          end
          if has then table.insert(found, key) end
        end
        table.sort(found)
        return table.concat(found, ' ')";
    let answer = server.ask(&[&["EVAL", SEARCH, "0"], texts].concat()).unwrap();
    answer.lines().nth(1).unwrap().to_owned()
}

fn secret() -> String {
    let random: &dyn Random = &SystemRandom;
    random.token::<32>()
}

#[tokio::test]
async fn nothing_secret_is_kept_in_the_clear() {
    let Harness { server, store } = Harness::new().await;
    let [client_secret, cookie, state, memo, challenge, code, access, family] =
        std::array::from_fn(|_| secret());
    let secrets = [&client_secret, &cookie, &state, &memo, &challenge, &code, &access, &family];
    let secrets = secrets.map(String::as_str);
    let nothing_to_see = |after: &str| {
        assert_eq!(keys_with(&server, &secrets), "", "after {after}");
    };
    let (name, redirect_uri) = (SecretHash::of, "https://client.example/of/the/login");

    let auth = ClientAuth::ClientSecretPost { secret: name(&client_secret) };
    let record = ClientRecord { auth, ..client("the-client") };
    store.put_client(&record, MINUTE, 9).await.unwrap();
    store.prolong_client("the-client", MINUTE).await.unwrap();
    nothing_to_see("the registration");

    let authorization = PendingAuthorization {
        client: "the-client".into(),
        redirect_uri: redirect_uri.into(),
        state: Some(memo.clone()),
        code_challenge: challenge.clone(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        dpop_jkt: None,
    };
    let login = PendingLogin {
        purpose: LoginPurpose::Authorize(authorization),
        browser: name(&cookie),
        upstream_url: format!("https://provider.example/authorize?state={state}"),
        upstream_memo: memo.clone(),
    };
    let body = Sealed::seal(&login, &state, &SystemRandom).unwrap();
    store.put_pending(&name(&state), &body, MINUTE).await.unwrap();
    nothing_to_see("the consent");
    assert!(store.take_pending(&name(&state), &attempt()).await.unwrap());

    let grant_id = GrantId::draw(&SystemRandom);
    store.create_grant(&grant_id, &grant(), MINUTE).await.unwrap();
    let good_for = CodeGrant {
        client: "the-client".into(),
        user: "alice".into(),
        redirect_uri: redirect_uri.into(),
        code_challenge: challenge.clone(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        dpop_jkt: None,
    };
    let body = Sealed::seal(&good_for, &code, &SystemRandom).unwrap();
    store.put_code(&name(&code), &body, MINUTE).await.unwrap();
    nothing_to_see("the login");

    let token = IssuedToken {
        user: "alice".into(),
        client: "the-client".into(),
        scope: "mcp:read".into(),
        audience: "https://server.example/mcp".into(),
        issued_at: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(2),
        confirmation: None,
    };
    let body = Sealed::seal(&token, &access, &SystemRandom).unwrap();
    store.put_access_token(&name(&access), &body, MINUTE).await.unwrap();
    let allows = RefreshFamily {
        user: "alice".into(),
        client: "the-client".into(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        created_at: Timestamp::from_millis(1),
        confirmation: None,
    };
    let body = Sealed::seal(&allows, &family, &SystemRandom).unwrap();
    store.put_refresh_family(&name(&family), &body, MINUTE).await.unwrap();
    let redeemed = store.redeem_code(&name(&code), &attempt()).await;
    assert_eq!(redeemed, Ok(Redemption::Redeemed));
    nothing_to_see("the exchange");

    let rotated = store.rotate_refresh(&name(&family), 0, MINUTE, MINUTE).await;
    assert_eq!(rotated, Ok(Rotation::Rotated { next: 1 }));
    store.revoke_access_token(&name(&access)).await.unwrap();
    store.revoke_grant(&grant_id).await.unwrap();
    nothing_to_see("the revocation");

    // The search finds what is there, and what is sealed is not.
    let registered = format!("{} {}", keys::client("the-client"), keys::CLIENTS);
    assert_eq!(keys_with(&server, &["the-client"]), registered);
    assert_eq!(keys_with(&server, &["alice"]), keys::grant(&grant_id));
    assert_eq!(keys_with(&server, &[redirect_uri]), "");
}
