use super::*;

fn ids() -> IdRules {
    IdRules { prefix: "proj_".into(), fold_nfc: false }
}

fn shipped() -> Layouts {
    Layouts::autoshorts().expect("the shipped file")
}

/// Each reading as `layout: project/scene/type/file.ext`, what is absent left out.
fn read(layouts: &Layouts, key: &str) -> Vec<String> {
    let readings = layouts.readings(key.as_bytes(), &ids());
    assert!(!readings.overflow, "{key}");
    let text = |reading: &Reading| {
        let fields =
            reading.fields.iter().map(|(field, bytes)| format!("{}={}", field.name(), String::from_utf8_lossy(bytes)));
        format!("{}: {} <{}>", reading.layout, fields.collect::<Vec<_>>().join(" "), reading.project)
    };
    readings.list.iter().map(text).collect()
}

fn check(key: &str, expected: &[&str]) {
    assert_eq!(read(&shipped(), key), expected, "{key}");
}

#[test]
fn every_shape_of_the_app_is_read() {
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
}
