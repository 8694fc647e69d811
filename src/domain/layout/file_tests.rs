//! What a user reads when a layout file is wrong, and why a key is not read.

use super::*;

fn check(file: &str, message: &str) {
    let error = Layouts::parse(file, "my.toml").expect_err(message);
    assert_eq!(error.to_string(), message, "{file}");
}

fn check_template(template: &str, problem: &str) {
    let file = format!("# one\n[[layout]]\nname = 'x'\n\ntemplate = '{template}'\nhealth = 'legacy'\n");
    check(&file, &format!("my.toml, line 5, template: {problem}"));
}

#[test]
fn a_template_that_cannot_be_read_is_named_with_its_line() {
    let fields = "the fields are {user} {project} {scene} {type} {file} {ext}";
    check_template("{projct}/x", &format!("there is no field {{projct}}; did you mean \"project\"?; {fields}"));
    check_template("{zzzzzz}/x", &format!("there is no field {{zzzzzz}}; {fields}"));
    check_template("{project}/{project}", "the field {project} occurs twice");
    check_template(
        "{project}{scene}/x",
        "nothing stands between {project} and {scene}, so nobody can say where one ends",
    );
    check_template("{user}/x", "no {project}: a reading must say whose an object is");
    check_template("x/{project", "the brace before \"project\" is not closed");
    check_template("x/{project{scene}", "the brace before \"project{scene}\" is not closed");
    check_template("x}/{project}", "a closing brace without an opening one");
    check_template("*/{project}", "a * stands only in a field's alternatives, as in {project:proj_*}");
    check_template("{type:a||b}/{project}", "an alternative of {type} is empty");
    check_template("{type:}/{project}", "an alternative of {type} is empty");
    check_template(
        "{type:a/b}/{project}",
        "an alternative of {type} holds a slash; a field stays within one path segment",
    );
    check_template("{project:a**}", "two * side by side in {project}");
    check_template("", "the template is empty");
    check_template(&format!("{}{{project}}", "x/".repeat(40)), "more than 32 path segments");
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_line() {
    let layout = |name: &str, template: &str| {
        format!("[[layout]]\nname = '{name}'\ntemplate = '{template}'\nhealth = 'legacy'\n")
    };
    let good = layout("a", "{project}/x");
    check("", "my.toml, line 1, layout: the file has no [[layout]], so no key could be read");
    check("layout = 3", "my.toml, line 1, layout: expected [[layout]] tables, found integer");
    check("\nproject_prefix = 3", "my.toml, line 2, project_prefix: expected a text in quotes, found integer");
    check(
        "project_prefix = 'a/'",
        "my.toml, line 1, project_prefix: a project prefix stands inside one path segment, so it holds no slash",
    );
    check(
        &format!("\nprojectprefix = 'x'\n{good}"),
        "my.toml, line 2, projectprefix: there is no key \"projectprefix\" here; did you mean \"project_prefix\"?",
    );
    check(
        &format!("{good}tempalte = 'x'\n"),
        "my.toml, line 5, tempalte: there is no key \"tempalte\" here; did you mean \"template\"?",
    );
    check(&format!("{good}zzz = 'x'\n"), "my.toml, line 5, zzz: there is no key \"zzz\" here");
    check("\n[[layout]]\nname = 'x'\n", "my.toml, line 2, layout: a layout needs \"template\"");
    check(&good.replace("'a'", "''"), "my.toml, line 2, name: must not be empty");
    check(&good.replace("'{project}/x'", "[]"), "my.toml, line 3, template: expected a text in quotes, found array");
    check(
        &good.replace("legacy", "legcy"),
        "my.toml, line 4, health: health is \"canonical\" or \"legacy\", not \"legcy\"; did you mean \"legacy\"?",
    );
    check(
        &format!("{good}{}", layout("a", "{project}/y")),
        "my.toml, line 6, name: the layout of line 2 is called \"a\" too",
    );
    for same in ["{scene}/{project}", "{user:*}/{project}", "{file:*|a}/{project}"] {
        check(
            &format!("{}{}", layout("a", "{project}/{user}"), layout("b", same)),
            "my.toml, line 7, template: cannot be told from the template of \"a\" in line 3: both read the same keys",
        );
    }
    let swapped = layout("a", "{type:x|y}/{project}") + &layout("b", "{scene:y|x}/{project}");
    assert!(matches!(
        Layouts::parse(&swapped, "f").map_err(|e| e.problem),
        Err(LayoutProblem::SameSkeleton { other_line: 3, .. })
    ));
    let syntax = Layouts::parse("a = 1\nb = = 2", "my.toml").expect_err("not TOML");
    assert_eq!(syntax.line, 2);
}

fn check_why(layout: &str, key: &str, why: &str) {
    let ids = IdRules { prefix: "proj_".into(), fold_nfc: false };
    let layouts = Layouts::autoshorts();
    let explained = layouts.explain(key.as_bytes(), &ids);
    let found = explained.iter().find(|explanation| &*explanation.layout == layout).expect("the layout");
    match &found.outcome {
        Explained::Differs(difference) => assert_eq!(difference.to_string(), why, "{key}"),
        Explained::Reads { readings, .. } => assert_eq!(format!("{} readings", readings.len()), why, "{key}"),
    }
}

#[test]
fn a_key_that_is_not_read_is_told_where_and_why() {
    let kinds = "{type:audio|image|media|thumbnail|thumbnails|video}";
    check_why("flat", "proj_1_S_media.mp4", "1 readings");
    check_why("flat", "proj_1_S_mediums.mp4", &format!("at byte 9: expected {kinds}, found mediums.mp4"));
    check_why("flat", "1_S_media.mp4", "at byte 0: expected {project:proj_*}, found 1_S_media.mp4");
    check_why("flat", "proj_1", "at byte 6: expected _, but nothing is left");
    check_why("flat", "proj_1_S_media", "at byte 14: expected ., but nothing is left");
    check_why("by-content", "audio/music/2020/a.mp3", "at byte 6: expected {project:proj_*}, found music");
    check_why(
        "by-content",
        "audios/proj_1/S/f",
        "at byte 0: expected {type:audio|media|thumbnails|video}, found audios",
    );
    check_why("by-content", "audio/proj_1/f", "at byte 14: expected /{file}, but nothing is left");
    check_why("by-content", "audio/proj_1/S/f/g", "at byte 16: the template ends here, found /g");
    check_why("by-content", "audio/proj_1//g", "at byte 13: expected {scene}, but nothing is left");
    check_why(
        "by-content",
        "audio/proj_proj_/S/g",
        "at byte 0: expected a project's id, found audio/proj_proj_/S/g (a prefix alone names nobody)",
    );
    check_why("scene", "video/x", "at byte 0: expected users, found video");
}
