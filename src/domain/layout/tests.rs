use proptest::prelude::*;

use super::*;

fn ids() -> IdRules {
    IdRules { prefix: "proj_".into(), fold_nfc: false }
}

fn shipped() -> Layouts {
    Layouts::autoshorts()
}

fn layouts_of(templates: &[&str]) -> Layouts {
    let table = |(index, template): (usize, &&str)| {
        format!("[[layout]]\nname = \"l{index}\"\ntemplate = '{template}'\nhealth = \"legacy\"\n")
    };
    let file: String = templates.iter().enumerate().map(table).collect();
    Layouts::parse(&format!("project_prefix = \"proj_\"\n{file}"), "test.toml").expect("a layout file")
}

/// Each reading as `layout: field=value ... <project>`.
fn read(layouts: &Layouts, key: &str) -> Vec<String> {
    let readings = layouts.readings(key.as_bytes(), &ids());
    assert!(!readings.overflow, "{key}");
    let text = |reading: &Reading| {
        let field = |(field, bytes): &(Field, Vec<u8>)| format!("{}={} ", field.name(), String::from_utf8_lossy(bytes));
        let fields: String = reading.fields.iter().map(field).collect();
        format!("{}: {fields}<{}>", reading.layout, reading.project)
    };
    readings.list.iter().map(text).collect()
}

fn check(key: &str, expected: &[&str]) {
    assert_eq!(read(&shipped(), key), expected, "{key}");
}

fn check_template(template: &str, key: &str, expected: &[&str]) {
    assert_eq!(read(&layouts_of(&[template]), key), expected, "{template} on {key}");
}

#[test]
fn every_shape_of_the_app_is_read() {
    assert_eq!(Layouts::parse(Layouts::AUTOSHORTS, "autoshorts.toml"), Ok(shipped()));
    check(
        "users/user123/projects/proj456/scenes/scene789/audio/narration.mp3",
        &["scene: user=user123 project=proj456 scene=scene789 type=audio file=narration.mp3 <proj456>"],
    );
    check(
        "users/user123/projects/proj456/output/final_video.mp4",
        &["output: user=user123 project=proj456 file=final_video.mp4 <proj456>"],
    );
    check(
        "projects/proj_ID/scenes/SCENE/media/file.ext",
        &["project-tree: project=proj_ID scene=SCENE type=media file=file.ext <ID>"],
    );
    for kind in ["audio", "video", "media", "thumbnails"] {
        check(
            &format!("{kind}/proj_ID/SCENE/file.ext"),
            &[&format!("by-content: type={kind} project=proj_ID scene=SCENE file=file.ext <ID>")],
        );
    }
    check("proj_ID_SCENE_media.mp4", &["flat: project=proj_ID scene=SCENE type=media ext=mp4 <ID>"]);
    check("video/proj_proj_ID/S/f.mp4", &["by-content: type=video project=proj_proj_ID scene=S file=f.mp4 <ID>"]);
    check("video/proj_a_b-c/S/f.mp4", &["by-content: type=video project=proj_a_b-c scene=S file=f.mp4 <a_b-c>"]);
}

#[test]
fn a_name_with_several_underscores_is_read_in_every_way() {
    check(
        "proj_proj_ID_SCENE_media.mp4",
        &[
            "flat: project=proj_proj scene=ID_SCENE type=media ext=mp4 <proj>",
            "flat: project=proj_proj_ID scene=SCENE type=media ext=mp4 <ID>",
        ],
    );
    check(
        "proj_a_b_c_media.tar.gz",
        &[
            "flat: project=proj_a scene=b_c type=media ext=tar.gz <a>",
            "flat: project=proj_a_b scene=c type=media ext=tar.gz <a_b>",
        ],
    );
    check(
        "proj_1_media_media.x_media.mp4",
        &[
            "flat: project=proj_1 scene=media type=media ext=x_media.mp4 <1>",
            "flat: project=proj_1 scene=media_media.x type=media ext=mp4 <1>",
            "flat: project=proj_1_media scene=media.x type=media ext=mp4 <1_media>",
        ],
    );
}

#[test]
fn near_misses_are_read_by_no_layout() {
    for key in [
        "",
        "/",
        "audio/music/2020/a.mp3",
        "audio/proj_/S/f.mp3",
        "audio/proj_proj_/S/f.mp3",
        "audio/PROJ_1/S/f.mp3",
        "audio/proj_1/f.mp3",
        "audio/proj_1/S/deeper/f.mp3",
        "audio/proj_1//f.mp3",
        "audio/proj_1/S/",
        "/audio/proj_1/S/f.mp3",
        "audios/proj_1/S/f.mp3",
        "Audio/proj_1/S/f.mp3",
        "backup/audio/proj_1/S/f.mp3",
        "projects/1/scenes/S/media/f",
        "projects/proj_1/scene/S/media/f",
        "projects/proj_1/scenes/S/media",
        "users/u/projects/p/scenes/s/audio",
        "users//projects/p/output/f",
        "users/u/projects//output/f",
        "users/u/projects/p/outputs/f",
        "users/u/projects/p/output/2024/f",
        "user/u/projects/p/output/f",
        "proj_1_media.mp4",
        "proj_1_S_media",
        "proj_1_S_media.",
        "proj_1_S_medias.mp4",
        "proj_1__media.mp4x/",
        "xproj_1_S_media.mp4",
        "proj_1_S-media.mp4",
    ] {
        check(key, &[]);
    }
    let not_text = shipped().readings(b"audio/proj_\xff/S/f.mp3", &ids());
    assert_eq!(not_text, Readings::default());
}

#[test]
fn fields_take_what_their_alternatives_say() {
    check_template("{project}", "a.b c", &["l0: project=a.b c <a.b c>"]);
    check_template("{project}-{scene}", "a-b-c", &["l0: project=a scene=b-c <a>", "l0: project=a-b scene=c <a-b>"]);
    check_template("{project}--{scene}", "a---b", &["l0: project=a scene=-b <a>", "l0: project=a- scene=b <a->"]);
    check_template("{project:a|b}/x", "a/x", &["l0: project=a <a>"]);
    check_template("{project:a|b}/x", "ab/x", &[]);
    check_template("{project:a*|*b}/x", "ab/x", &["l0: project=ab <ab>"]);
    check_template("{project:a*|*b}/x", "a/x", &[]);
    check_template("{project:*-*}", "a-b", &["l0: project=a-b <a-b>"]);
    check_template("{project:*-*}", "-a-", &[]);
    check_template("{project:a*a}", "aa", &[]);
    check_template("{project:a*bc*d}", "abcbcxd", &["l0: project=abcbcxd <abcbcxd>"]);
    check_template("x/{project}/", "x/1/", &["l0: project=1 <1>"]);
    check_template("/x//{project}", "/x//1", &["l0: project=1 <1>"]);
    check_template("v{project}.{ext}", "v1.2.3", &["l0: project=1 ext=2.3 <1>", "l0: project=1.2 ext=3 <1.2>"]);
}

#[test]
fn too_many_readings_are_marked_not_dropped_in_silence() {
    let few = format!("proj_{}S_media.mp4", "x_".repeat(40));
    assert_eq!(shipped().readings(few.as_bytes(), &ids()).list.len(), 40);
    for many in [format!("proj_{}S_media.mp4", "x_".repeat(100)), format!("proj_{}", "_".repeat(1019))] {
        let readings = shipped().readings(many.as_bytes(), &ids());
        assert!(readings.overflow, "{many}");
        assert!(readings.list.len() <= MAX_READINGS);
    }
}

#[test]
fn the_hash_is_of_the_meaning() {
    let text = "project_prefix = 'p'\n[[layout]]\nname = 'a'\ntemplate = '{project}'\nhealth = 'legacy'\n";
    let hash = |text: &str| Layouts::parse(text, "x").expect("a layout file").hash();
    assert_eq!(hash(text), hash(&format!("# a comment\n{}", text.replace(" = ", "=").replace('\'', "\""))));
    for (from, to) in [("'p'", "'q'"), ("'a'", "'b'"), ("{project}", "{project}/x"), ("legacy", "canonical")] {
        assert_ne!(hash(text), hash(&text.replace(from, to)), "{from}");
    }
    assert_eq!(hash(text).len(), 64);
}

#[test]
fn a_key_is_rendered_from_its_fields() {
    let layouts = shipped();
    let render = |layout: &str, fields: &[(Field, &str)]| {
        let fields: Vec<_> = fields.iter().map(|&(field, value)| (field, value.as_bytes().to_vec())).collect();
        layouts.get(layout).expect("a layout").render(&fields).map(|key| String::from_utf8(key).expect("text"))
    };
    let all = [(Field::Ext, "mp4"), (Field::Project, "proj_1"), (Field::Scene, "S"), (Field::Type, "media")];
    assert_eq!(render("flat", &all), Some("proj_1_S_media.mp4".into()));
    assert_eq!(render("flat", &all[1..]), None);
    for wrong in [(Field::Ext, ""), (Field::Ext, "a/b"), (Field::Project, "1"), (Field::Type, "mediax")] {
        assert_eq!(render("flat", &all.map(|field| if field.0 == wrong.0 { wrong } else { field })), None, "{wrong:?}");
    }
}

/// Templates of few pieces, with every kind of field.
fn template() -> impl Strategy<Value = String> {
    let literal = prop::sample::select(vec!["_", "/", ".", "-", "a", "/x/", "ab", "__"]);
    let pattern = prop::sample::select(vec!["", ":*", ":a*", ":*b", ":a|b|ab", ":a*b|c", ":proj_*"]);
    let fields = Just(Field::ALL.to_vec()).prop_shuffle();
    (prop::collection::vec((literal, pattern), 1..=6), fields, any::<bool>()).prop_map(|(parts, fields, leading)| {
        let mut text = String::from(if leading { "a/" } else { "" });
        for (index, ((literal, pattern), field)) in parts.iter().zip(&fields).enumerate() {
            let separator = if index > 0 { *literal } else { "" };
            text.push_str(&format!("{separator}{{{}{pattern}}}", field.name()));
        }
        if text.contains("{project") { text } else { format!("{{project}}~{text}") }
    })
}

/// Text of the same few pieces, so that captures and literals get in each other's way.
fn value() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "_", ".", "-", "ab", "proj_", "x", "\u{e9}"]), 1..6)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    /// What a layout reads from a key, it renders to that key.
    #[test]
    fn render_is_the_inverse_of_reading(template in template(), values in prop::collection::vec(value(), 6), noise in "[ab_./-]{0,12}") {
        let layouts = layouts_of(&[&template]);
        let layout = layouts.get("l0").expect("the layout");
        let fields: Vec<_> = Field::ALL.into_iter().zip(values.iter().map(|value| value.clone().into_bytes())).collect();
        let rendered = layout.render(&fields);
        for key in rendered.iter().cloned().chain([noise.into_bytes()]) {
            for reading in layouts.readings(&key, &ids()).list {
                prop_assert_eq!(layout.render(&reading.fields), Some(key.clone()), "{}", &template);
            }
        }
        // And what it renders, it reads: the fields are among the readings, unless they name nobody.
        if let Some(key) = rendered {
            let readings = layouts.readings(&key, &ids());
            let wanted: Vec<_> = layout.template.fields().iter().map(|&f| (f, values[f as usize].clone().into_bytes())).collect();
            let nobody = values[Field::Project as usize].replace("proj_", "").is_empty();
            prop_assert!(readings.overflow || nobody || readings.list.iter().any(|r| r.fields == wanted), "{} {:?}", &template, readings);
        }
    }

    /// The same for every shipped layout.
    #[test]
    fn shipped_layouts_render_what_they_read(values in prop::collection::vec(value(), 6), kind in 0..4_usize) {
        let layouts = shipped();
        for layout in layouts.iter() {
            let mut fields: Vec<_> = Field::ALL.into_iter().zip(values.iter().map(|value| value.clone().into_bytes())).collect();
            fields[Field::Project as usize].1.splice(0..0, *b"proj_x");
            fields[Field::Type as usize].1 = ["audio", "video", "media", "thumbnails"][kind].into();
            let key = layout.render(&fields).expect("fields that fit");
            let readings = layouts.readings(&key, &ids());
            let own: Vec<_> = readings.list.iter().filter(|reading| reading.layout == layout.name).collect();
            prop_assert!(!own.is_empty());
            for reading in own {
                prop_assert_eq!(layout.render(&reading.fields), Some(key.clone()));
            }
        }
    }
}
