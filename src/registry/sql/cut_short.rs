//! Queries of the user's that leave rows out by their number: a project that is left out would pass for a dead one.

/// What of this query leaves rows out, whatever they are; `None` if nothing does. `LIMIT 1` within parentheses is how one
/// asks for the newest of several, and leaves no project out by itself.
pub(super) fn cut_short(query: &str) -> Option<&'static str> {
    let words = words(query);
    words.iter().enumerate().find_map(|(at, (depth, word))| {
        let next = |ahead: usize| words.get(at + ahead).map_or("", |(_, word)| word.as_str());
        match word.as_str() {
            "LIMIT" if *depth > 0 && next(1) == "1" && !next(2).starts_with([',', '.']) => None,
            "LIMIT" => Some("LIMIT"),
            "FETCH" if matches!(next(1), "FIRST" | "NEXT") => match *depth > 0 && matches!(next(2), "1" | "ROW") {
                true => None,
                false => Some("FETCH"),
            },
            "OFFSET" if next(1).starts_with(|c: char| c.is_ascii_digit()) => Some("OFFSET"),
            "TABLESAMPLE" => Some("TABLESAMPLE"),
            _ => None,
        }
    })
}

/// The words and signs of a query in upper case, each with the number of parentheses that are open there; without comments,
/// texts and quoted names.
fn words(query: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let (mut rest, mut depth) = (query, 0_usize);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if first.is_whitespace() => first.len_utf8(),
            '\'' | '"' | '`' => quoted(rest, first),
            '-' if rest.starts_with("--") => until(rest, 2, "\n"),
            '/' if rest.starts_with("/*") => until(rest, 2, "*/"),
            '$' => dollar_quoted(rest),
            '(' => {
                depth += 1;
                1
            }
            ')' => {
                depth = depth.saturating_sub(1);
                1
            }
            _ => {
                let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len()).max(first.len_utf8());
                words.push((depth, rest[..length].to_uppercase()));
                length
            }
        };
        rest = &rest[length..];
    }
    words
}

/// The length of what stands between two such signs; doubled, the sign is part of it.
fn quoted(text: &str, sign: char) -> usize {
    let mut after = sign.len_utf8();
    loop {
        match text[after..].find(sign) {
            None => return text.len(),
            Some(at) if text[after + at + 1..].starts_with(sign) => after += at + 2,
            Some(at) => return after + at + 1,
        }
    }
}

/// The length of what ends with `end`, which is looked for from `from` on.
fn until(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |at| from + at + end.len())
}

/// The length of a text in dollar signs (postgresql.org/docs/15/sql-syntax-lexical.html), or of one sign.
fn dollar_quoted(text: &str) -> usize {
    let is_tag = |tag: &str| tag.chars().all(|c| c.is_alphanumeric() || c == '_') && !tag.starts_with(char::is_numeric);
    match text[1..].find('$').map(|at| &text[..at + 2]) {
        Some(tag) if is_tag(&tag[1..tag.len() - 1]) => until(text, tag.len(), tag),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Option<&str>) {
        assert_eq!(cut_short(query), expected, "{query}");
    }

    #[test]
    fn a_query_that_leaves_rows_out_by_their_number_is_told_from_others() {
        check("SELECT id FROM projects", None);
        check("SELECT id FROM projects LIMIT 1000", Some("LIMIT"));
        check("select id from projects\nlimit\n1", Some("LIMIT"));
        check("SELECT id FROM projects LIMIT ALL OFFSET 10", Some("LIMIT"));
        check("SELECT id FROM projects OFFSET 10", Some("OFFSET"));
        check("SELECT id FROM projects ORDER BY id FETCH FIRST 10 ROWS ONLY", Some("FETCH"));
        check("SELECT id FROM projects TABLESAMPLE SYSTEM (10)", Some("TABLESAMPLE"));
        check("WITH p AS (SELECT id FROM projects LIMIT 500) SELECT id FROM p", Some("LIMIT"));
        check("SELECT id FROM (SELECT id FROM projects LIMIT 1, 10) AS p", Some("LIMIT"));
        check("SELECT id FROM projects p WHERE (SELECT s FROM e WHERE e.p = p.id ORDER BY t LIMIT 1) <> 'gone'", None);
        check("SELECT id FROM p WHERE 1 = (SELECT s FROM e FETCH FIRST ROW ONLY)", None);
        check("SELECT id FROM p WHERE 1 IN (SELECT s FROM e FETCH FIRST 5 ROWS ONLY)", Some("FETCH"));
    }

    #[test]
    fn words_in_texts_names_and_comments_are_no_limits() {
        check("SELECT id FROM projects WHERE note <> 'no LIMIT 5'", None);
        check("SELECT id FROM projects WHERE note <> 'it''s LIMIT 5' LIMIT 7", Some("LIMIT"));
        check("SELECT \"limit\", `limit` FROM projects", None);
        check("SELECT id, credit_limit, rate$limit, offset FROM projects -- LIMIT 5", None);
        check("SELECT id /* LIMIT 5 */ FROM projects", None);
        check("SELECT id -- '\nFROM projects LIMIT 5 -- '", Some("LIMIT"));
        check("SELECT id FROM projects WHERE note <> $x$ LIMIT 5 $x$", None);
        check("SELECT id FROM projects WHERE id <> $1 LIMIT 5", Some("LIMIT"));
        check("SELECT id FROM \u{e9}t\u{e9} WHERE x = '\u{e9} LIMIT 5", None);
    }
}
