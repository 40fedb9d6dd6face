//! Numbers, read and written the way JSON and JavaScript do.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Number, Value};

/// The largest integer that every JSON reader keeps exact, 2^53 - 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// `value` as JavaScript writes it, which is how the result texts are specified: 5 and not 5.0,
/// 1e+21 and not 22 digits.
pub(crate) fn js(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        // JavaScript writes -0 as 0.
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&magnitude) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// `value` as a JSON number: an integer where it is one, for readers that tell 5 from 5.0.
pub(crate) fn json(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= MAX_SAFE {
        #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^53")]
        let integer = value as i64;
        return Value::from(integer);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Reads a whole number that may be written as 5 or 5.0.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "integral and within u32"
        )]
        return Ok(value as u32);
    }
    Err(D::Error::custom(format_args!("{} is not a whole number in range", js(value))))
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [
            (5.0, "5"),
            (-2.5, "-2.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (-0.0, "0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (-1.25e-9, "-1.25e-9"),
        ] {
            assert_eq!(js(number), text);
        }
    }

    #[test]
    fn integral_floats_become_json_integers() {
        assert_eq!(json(5.0).to_string(), "5");
        assert_eq!(json(-3.0).to_string(), "-3");
        assert_eq!(json(2.5).to_string(), "2.5");
        assert_eq!(json(1e300), value!(1e300));
        assert_eq!(json(f64::INFINITY), Value::Null);
    }

    #[test]
    fn whole_numbers_may_have_a_point() {
        assert_eq!(whole(value!(5)).unwrap(), 5);
        assert_eq!(whole(value!(5.0)).unwrap(), 5);
        assert_eq!(whole(value!(4_294_967_295_u32)).unwrap(), u32::MAX);
        for bad in [value!(2.5), value!(-1), value!(4_294_967_296_u64), value!("5")] {
            assert!(whole(&bad).is_err(), "{bad}");
        }
    }
}
