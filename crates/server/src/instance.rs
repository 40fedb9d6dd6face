//! What this process is called among its kind.

/// The longest name, in characters.
const LONGEST: usize = 40;

/// The name of the machine, or of the container: what operators know it by.
pub(crate) fn name() -> String {
    sanitised(&rustix::system::uname().nodename().to_string_lossy())
}

/// Fit for keys, log lines and ids.
fn sanitised(host: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let name: String = host.trim().chars().take(LONGEST).map(fit).collect();
    if name.is_empty() { "local".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert_eq!(sanitised("web-1"), "web-1");
        assert_eq!(sanitised("web.example.com"), "web-example-com");
        assert_eq!(sanitised("a b\n*{\u{e9}}"), "a-b-----");
        assert_eq!(sanitised(""), "local");
        assert_eq!(sanitised(&"x".repeat(300)).len(), LONGEST);
    }

    #[test]
    fn this_machine_has_one() {
        assert!(!name().is_empty());
    }
}
