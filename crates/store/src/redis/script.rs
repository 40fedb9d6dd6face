//! The Lua scripts: atomic, each bound to the hash slot of its first key.

use std::sync::LazyLock;

use redis::{Cmd, Pipeline, RedisResult, Script, aio::ConnectionLike};

macro_rules! scripts {
    ($($name:ident = $($file:literal)+;)+) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file))),+)));)+

        static SOURCES: &[&str] =
            &[$(concat!($(include_str!(concat!("lua/", $file))),+)),+];
    };
}

scripts! {
    CREATE = "prelude.lua" "create.lua";
    SETTLE = "prelude.lua" "settle.lua";
    ADMIT = "prelude.lua" "admit.lua";
    DELETE = "prelude.lua" "delete.lua";
    HOLD = "prelude.lua" "hold.lua";
    SET_LEVEL = "prelude.lua" "set_level.lua";
    FLIP = "prelude.lua" "switch.lua" "flip.lua";
    SUBSCRIBE = "prelude.lua" "subscribe.lua";
    UNSUBSCRIBE = "prelude.lua" "unsubscribe.lua";
    USER_ROOM = "user_room.lua";
    USER_TIDY = "user_tidy.lua";
    OPEN_CALL = "prelude.lua" "open_call.lua";
    APPEND = "prelude.lua" "append.lua";
    READ_CALL = "prelude.lua" "read_call.lua";
    CANCEL = "prelude.lua" "cancel.lua";
    ANSWER = "prelude.lua" "answer.lua";
    CALL_NEWS = "prelude.lua" "call_news.lua";
    SAY = "prelude.lua" "stream.lua" "say.lua";
    RUNNING = "prelude.lua" "running.lua";
    BURY = "prelude.lua" "stream.lua" "bury.lua";
    OPEN_STREAM = "prelude.lua" "stream.lua" "open_stream.lua";
    HOLDER = "prelude.lua" "stream.lua" "holder.lua";
    PUSH = "prelude.lua" "stream.lua" "push.lua";
    TELL = "prelude.lua" "stream.lua" "tell.lua";
    PULL = "prelude.lua" "stream.lua" "pull.lua";
    BEAT = "beat.lua";
    REPORT = "report.lua";
    REPORTS = "reports.lua";
    TAKE_RATE = "take_rate.lua";
    CLOSE_STREAM = "prelude.lua" "stream.lua" "close_stream.lua";
    TASK_ROOM = "tasks/room.lua";
    TASK_BEGIN = "tasks/begin.lua";
    TASK_NOTE = "tasks/note.lua";
    TASK_ASK = "tasks/ask.lua";
    TASK_ANSWER = "tasks/owner.lua" "tasks/answer.lua";
    TASK_CANCEL = "tasks/owner.lua" "tasks/finish.lua" "tasks/cancel.lua";
    TASK_END = "tasks/finish.lua" "tasks/end.lua";
    SHELF = "shelf/glance.lua";
    SHELF_PUT = "shelf/put.lua";
    SHELF_FLIP = "switch.lua" "shelf/flip.lua";
    ELICITATION_BEGIN = "elicitations/begin.lua";
    ELICITATION_SETTLE = "elicitations/settle.lua";
    OAUTH_PUT = "oauth/put.lua";
    OAUTH_ROOM = "oauth/count.lua" "oauth/room.lua";
    OAUTH_LONGER = "oauth/count.lua" "oauth/longer.lua";
    CLIENT_ROOM = "oauth/count.lua" "oauth/clients.lua" "oauth/client_room.lua";
    CLIENT_USED = "oauth/count.lua" "oauth/clients.lua" "oauth/client_used.lua";
    CLIENT_LISTED = "oauth/count.lua" "oauth/clients.lua" "oauth/client_listed.lua";
    PROLONG_CLIENT = "oauth/prolong_client.lua";
    EVICT_CLIENT = "oauth/evict_client.lua";
    PUT_PENDING = "oauth/put_pending.lua";
    PENDING_ROOM = "oauth/count.lua" "oauth/pending_room.lua";
    TAKE_PENDING = "oauth/record.lua" "oauth/take_pending.lua";
    CREATE_GRANT = "oauth/create_grant.lua";
    LIST_GRANT = "oauth/count.lua" "oauth/list_grant.lua";
    PROLONG_GRANT = "oauth/prolong_grant.lua";
    REVOKE_GRANT = "oauth/revoke_grant.lua";
    REVOKE_TOKEN = "oauth/revoke_token.lua";
    REDEEM_CODE = "oauth/record.lua" "oauth/redeem_code.lua";
    ROTATE_REFRESH = "oauth/record.lua" "oauth/rotate_refresh.lua";
    REMEMBER_ONCE = "oauth/remember_once.lua";
    DOCUMENT_ROOM = "oauth/count.lua" "oauth/document_room.lua";
    SECRET_KEYS = "oauth/secret_keys.lua";
}

/// A call of a script on a key, by the script's hash.
pub(super) fn call(script: &Script, key: &str) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(1).arg(key);
    command
}

/// Makes the scripts known to whatever the connection leads to.
pub(super) async fn load(connection: &mut impl ConnectionLike) -> RedisResult<()> {
    loading().exec_async(connection).await
}

/// What makes the scripts known.
pub(super) fn loading() -> Pipeline {
    let mut pipeline = redis::pipe();
    for source in SOURCES {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(source).ignore();
    }
    pipeline
}
