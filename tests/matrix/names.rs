//! Which rows of the matrix a test is about, by its name.

/// The names of the tests in the text of a source file.
pub fn of_tests(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(attribute) = line.strip_prefix("#[") {
            is_test |= attribute.starts_with("test]") || attribute.starts_with("tokio::test");
            continue;
        }
        let line = line.trim_start_matches("async ");
        if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
            names.extend(rest.split(['(', '<']).next().map(str::to_owned));
        }
        is_test &= line.starts_with("//");
    }
    names
}

/// The rows that a name begins with, or that follow a `row` within it. A number has two digits, so that `cargo test row_08`
/// finds every test of row 8.
pub fn rows(name: &str) -> Vec<u32> {
    let words: Vec<&str> = name.split('_').collect();
    let mut rows = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let many = words[at] == "rows";
        if !many && words[at] != "row" {
            at += 1;
            continue;
        }
        at += 1;
        while let Some(row) = words.get(at).and_then(|word| number(word)) {
            rows.push(row);
            at += 1;
            if !many {
                break;
            }
            let next = words.get(at + 1).and_then(|word| number(word));
            match (words.get(at), next) {
                (Some(&"to"), Some(last)) => {
                    rows.extend(row + 1..last);
                    at += 1;
                }
                (Some(&"and"), Some(_)) => at += 1,
                _ => {}
            }
        }
    }
    rows
}

fn number(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    (word.len() == 2 && digits).then(|| word.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_rows_it_is_about() {
        let check = |name: &str, expected: &[u32]| assert_eq!(rows(name), expected, "{name}");
        check("row_08_an_object_written_again", &[8]);
        check("row_61_proj_1_is_not_proj_10", &[61]);
        check("row_47_a_row_of_an_object", &[47]);
        check("row_62_10_keys", &[62]);
        check("rows_35_75_a_verification", &[35, 75]);
        check("rows_12_13_18_and_19_only", &[12, 13, 18, 19]);
        check("rows_14_to_17_what", &[14, 15, 16, 17]);
        check("rows_01_32_to_34_and_40_refusals", &[1, 32, 33, 34, 40]);
        check("row_65_a_plan_is_for_one_run_and_row_51_one_run", &[65, 51]);
        check("a_row_is_removed", &[]);
        check("row_8_without_its_zero", &[]);
    }

    #[test]
    fn only_tests_count() {
        let text = "
            #[test]
            fn one() {}
            fn helper() {}
            /// Said of it.
            #[tokio::test(flavor = \"multi_thread\")]
            // Said of it, too.
            async fn two() {}
            #[cfg(unix)]
            #[test]
            fn three<T>() {}
            #[cfg(test)]
            fn four() {}";
        assert_eq!(of_tests(text), ["one", "two", "three"]);
    }
}
