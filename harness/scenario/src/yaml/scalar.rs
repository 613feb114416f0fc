//! What a plain scalar means: YAML 1.2, core schema.

use super::Kind;

/// The meaning of a scalar without quotes. `yes` and `off` are text, as YAML 1.2 has it.
pub(super) fn resolve(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    if let Some(value) = integer(text) {
        return Kind::Integer(value);
    }
    if is_float(text) { Kind::Float(text.to_owned()) } else { Kind::Text(text.to_owned()) }
}

fn integer(text: &str) -> Option<i128> {
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, u8::is_ascii_hexdigit).then(|| i128::from_str_radix(digits, 16).ok())?;
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |byte| (b'0'..=b'7').contains(byte)).then(|| i128::from_str_radix(digits, 8).ok())?;
    }
    all(text.strip_prefix(['-', '+']).unwrap_or(text), u8::is_ascii_digit).then(|| text.parse().ok())?
}

/// A decimal number with a point or an exponent, an integer too large for [`integer`], infinity or not-a-number.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let mantissa_fits = match mantissa.split_once('.') {
        None => all(mantissa, u8::is_ascii_digit),
        Some(("", fraction)) => all(fraction, u8::is_ascii_digit),
        Some((whole, fraction)) => {
            all(whole, u8::is_ascii_digit) && (fraction.is_empty() || all(fraction, u8::is_ascii_digit))
        }
    };
    mantissa_fits && exponent.is_none_or(|digits| all(digits, u8::is_ascii_digit))
}

fn all(text: &str, accepts: impl Fn(&u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(|byte| accepts(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_yaml_1_2_says() {
        for text in ["", "~", "null"] {
            assert_eq!(resolve(text), Kind::Null, "{text:?}");
        }
        assert_eq!(resolve("true"), Kind::Bool(true));
        for (text, value) in [("7", 7), ("-7", -7), ("+7", 7), ("010", 10), ("0x1F", 31), ("0o17", 15)] {
            assert_eq!(resolve(text), Kind::Integer(value), "{text:?}");
        }
        for text in ["1.5", ".5", "5.", "1e3", "-1.5E-3", ".inf", "-.inf", ".nan", &"9".repeat(60)] {
            assert_eq!(resolve(text), Kind::Float(text.to_owned()), "{text:?}");
        }
        for text in ["yes", "off", "v0.1.10", "7.0.1", "10ms", "-", "+", ".", "e3", "0x", "0o8", "1_000", "frontend+20"]
        {
            assert_eq!(resolve(text), Kind::Text(text.to_owned()), "{text:?}");
        }
    }
}
