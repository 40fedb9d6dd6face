//! `tracestate` (W3C Trace Context, section 3.3).

use std::collections::HashSet;

/// How many members it may have.
const MEMBERS: usize = 32;
/// How much of it is passed on at least by everybody, in characters.
const LONG: usize = 512;
/// Members longer than this are left out first if it is longer (section 3.3.1.5).
const LONG_MEMBER: usize = 128;

/// What may be passed on of it. `None`: it is malformed, and all of it is to be left out.
pub(super) fn read(text: &str) -> Option<String> {
    let mut members: Vec<&str> = text.split(',').map(trimmed).collect();
    // Members may be empty.
    members.retain(|member| !member.is_empty());
    let mut keys = HashSet::new();
    for member in &members {
        let (key, value) = member.split_once('=')?;
        if !is_key(key) || !is_value(value) || !keys.insert(key) {
            return None;
        }
    }
    if members.is_empty() || members.len() > MEMBERS {
        return None;
    }
    if long(&members) > LONG {
        members.retain(|member| member.len() <= LONG_MEMBER);
    }
    while long(&members) > LONG {
        members.pop();
    }
    (!members.is_empty()).then(|| members.join(","))
}

fn long(members: &[&str]) -> usize {
    members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1)
}

fn trimmed(member: &str) -> &str {
    member.trim_matches([' ', '\t'])
}

fn is_key(key: &str) -> bool {
    let first = key.bytes().next();
    key.len() <= 256
        && first.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && key.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte)
        })
}

fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_members_are_passed_on_in_order() {
        assert_eq!(read("b=1,a@x=2").as_deref(), Some("b=1,a@x=2"));
        assert_eq!(read(" b=1 ,\t, 0a=x y").as_deref(), Some("b=1,0a=x y"));
    }

    #[test]
    fn what_is_malformed_is_left_out() {
        let many: Vec<_> = (0..33).map(|number| format!("k{number}=1")).collect();
        let (many, long_key) = (many.join(","), format!("{}=1", "k".repeat(257)));
        for text in ["", ",", "a", "=1", "a=", "A=1", "a=1,a=2", "a b=1", "a=1=2", "a=\u{e9}"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!((read(&many), read(&long_key)), (None, None));
    }

    #[test]
    fn of_a_long_one_the_beginning_is_kept() {
        let member = |name: char, long: usize| format!("{name}={}", "x".repeat(long));
        let text = [member('a', 200), member('b', 100), member('c', 100), member('d', 100)];
        let kept = read(&[text.join(","), member('e', 100)].join(",")).unwrap();
        assert!(kept.starts_with("b=") && kept.len() <= LONG && kept.contains("e="), "{kept}");
        let many: Vec<_> = ('a'..='h').map(|name| member(name, 100)).collect();
        let kept = read(&many.join(",")).unwrap();
        assert!(kept.starts_with("a=") && kept.len() <= LONG && !kept.contains("f="), "{kept}");
    }
}
