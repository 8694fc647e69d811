//! Answers as they should be and as they should not, and every other one read as `quick-xml` reads it.

use proptest::prelude::*;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::*;

/// Every leaf text below the root, in order, or the breach.
fn check(body: &str, expected: Result<&[&str], &str>) {
    let mut texts = Vec::new();
    let result = read(body.as_bytes(), Name::DeleteResult, |_, text| {
        texts.extend(text.map(str::to_owned));
        Ok(())
    });
    match (result, expected) {
        (Ok(()), Ok(expected)) => assert_eq!(texts, expected, "{body}"),
        (Err(Breach(text)), Err(part)) => assert!(text.contains(part), "{body}: {text}"),
        (result, _) => panic!("{body}: {result:?} with {texts:?}"),
    }
}

#[test]
fn text_is_taken_exactly_as_sent() {
    check("<DeleteResult/>", Ok(&[]));
    check("<?xml version=\"1.0\"?>\n<DeleteResult xmlns=\"http://x/\">\n</DeleteResult>\n", Ok(&[]));
    check("<DeleteResult><Key> lead \r\n</Key></DeleteResult>", Ok(&[" lead \r\n"]));
    check("<DeleteResult><Key> </Key><Key/></DeleteResult>", Ok(&[" ", ""]));
    check("<DeleteResult><Key>a&amp;b&#13;&#x1F3AC;&lt;</Key></DeleteResult>", Ok(&["a&b\r\u{1f3ac}<"]));
    check("<DeleteResult><Key><![CDATA[a<b]]>c</Key></DeleteResult>", Ok(&["a<bc"]));
    check("<DeleteResult><Key>a<!-- x -->b</Key></DeleteResult>", Ok(&["ab"]));
    check("<s3:DeleteResult xmlns:s3=\"x\"><s3:Key>a</s3:Key></s3:DeleteResult>", Ok(&["a"]));
}

#[test]
fn whatever_is_not_one_whole_answer_is_refused() {
    check("", Err("empty"));
    check(" \n", Err("empty"));
    check("<DeleteResult><Deleted>", Err("cut off"));
    check("<DeleteResult><Deleted></Del", Err("not XML"));
    check("<DeleteResult><Key>a</Deleted></DeleteResult>", Err("not XML"));
    check("<Error><Code>InternalError</Code></Error>", Err("no DeleteResult"));
    check("<ListBucketResult/>", Err("no DeleteResult"));
    check("<!DOCTYPE html><html></html>", Err("web page"));
    check("<html><body>Sign in</body></html>", Err("web page"));
    check("<DeleteResult/><DeleteResult/>", Err("no DeleteResult"));
    check("<DeleteResult/>tail", Err("outside"));
    check("{}", Err("outside"));
    check("<DeleteResult><Key>a<b/></Key></DeleteResult>", Err("beside"));
    check("<DeleteResult><Key><b/>a</Key></DeleteResult>", Err("beside"));
    check("<DeleteResult><Key>&nbsp;</Key></DeleteResult>", Err("reference"));
}

#[test]
fn an_error_document_is_read_and_nothing_else_is_taken_for_one() {
    let document = error_document(b"<Error><Code>SlowDown</Code><Message>a &amp; b</Message></Error>");
    let document = document.expect("an error document");
    assert_eq!((document.code.as_str(), document.message.as_str()), ("SlowDown", "a & b"));
    assert_eq!(error_document(b"<html/>"), None);
    assert_eq!(error_document(b""), None);
}

/// Every leaf text below the root as `quick-xml` finds it; `None` for what it refuses.
fn by_quick_xml(body: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(body);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<(String, String, bool)> = Vec::new();
    let mut leaves: Vec<(String, String)> = Vec::new();
    let mut ended = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = start.name();
                if !name.as_ref().starts_with(|c: char| c.is_alphabetic() || c == '_') || name.as_ref().contains('<') {
                    return None; // that is no name, which this reader does not mind (XML 1.0, 2.3)
                }
                if let Some((_, text, is_leaf)) = open.last_mut() {
                    if *is_leaf && !text.trim().is_empty() {
                        return None;
                    }
                    *is_leaf = false;
                    text.clear();
                } else if ended {
                    return None;
                }
                open.push((start.local_name().as_ref().to_owned(), String::new(), true));
            }
            Event::End(_) => {
                let (name, text, is_leaf) = open.pop()?;
                if !is_leaf && !text.trim().is_empty() {
                    return None;
                }
                if is_leaf && !open.is_empty() {
                    leaves.push((name, text));
                }
                ended = open.is_empty();
            }
            Event::Text(text) => match open.last_mut() {
                Some((_, all, _)) => all.push_str(&text),
                None if text.trim().is_empty() => {}
                None => return None,
            },
            Event::CData(text) => open.last_mut()?.1.push_str(&text),
            Event::GeneralRef(reference) => open.last_mut()?.1.push(resolve(&reference).ok()?),
            Event::Eof => return ended.then_some(leaves),
            Event::DocType(_) => return None,
            _ => {}
        }
    }
}

fn document() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "<(a|b|Key|s3:Key|Contents)>",
        4 => "</(a|b|Key|s3:Key|Contents)>",
        4 => "[ -;=?-~\u{e9}\n]{0,6}",
        1 => "<(a|Key) ?(x=\"[ ->]{0,3}\"|y='[ -&(->]{0,3}')? ?/?>",
        1 => "&(amp|lt|quot|#13|#x41|nbsp|#|);?",
        1 => "<!--[ -,.-~]{0,4}-->",
        1 => "<!\\[CDATA\\[[ -Z]{0,4}\\]\\]>",
        1 => Just(String::from("<?pi x?>")),
        1 => Just(String::from("<")),
    ];
    let wrapped = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    (wrapped, any::<bool>(), 0_usize..80).prop_map(|(inner, cut, at)| {
        let whole = format!("<DeleteResult>{inner}</DeleteResult>");
        let end = whole.char_indices().map(|(at, _)| at).nth(at).filter(|_| cut).unwrap_or(whole.len());
        whole[..end].to_owned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_believed_is_read_as_another_reader_reads_it(body in document()) {
        let mut leaves = Vec::new();
        let result = read(body.as_bytes(), Name::DeleteResult, |path, text| {
            leaves.extend(text.map(|text| (path[path.len() - 1], text.to_owned())));
            Ok(())
        });
        if result.is_ok() {
            let expected = by_quick_xml(&body).map(|leaves| {
                leaves.into_iter().map(|(name, text)| (Name::of(&name), text)).collect::<Vec<_>>()
            });
            prop_assert_eq!(Some(leaves), expected, "{}", body);
        } else {
            prop_assert_eq!(by_quick_xml(&body), None, "{}: {:?}", body, result);
        }
    }
}
