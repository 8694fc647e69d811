//! The shapes in which the app wrote keys over the years.

use super::Project;

/// One way to write a project's keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// `users/USER/projects/ID/scenes/SCENE/TYPE/FILE`
    Canonical,
    /// `users/USER/projects/ID/output/FILE`; one set for a project, not for a scene
    Output,
    /// `projects/proj_ID/scenes/SCENE/media/FILE`
    Tree,
    /// `TYPE/proj_ID/SCENE/FILE`
    ByContent,
    /// `proj_ID_SCENE_media.mp4`
    Flat,
    /// `proj_proj_ID_SCENE_media.mp4`
    DoubleFlat,
    /// `projects/proj_proj_ID/scenes/SCENE/media/FILE`
    DoubleTree,
    /// `TYPE/proj_proj_ID/SCENE/FILE`
    DoubleByContent,
    /// `users/USER/projects/proj_proj_ID/scenes/SCENE/TYPE/FILE`
    DoubleCanonical,
}

impl Shape {
    /// Every shape.
    pub(super) const ALL: [Self; 9] = [
        Self::Canonical,
        Self::Output,
        Self::Tree,
        Self::ByContent,
        Self::Flat,
        Self::DoubleFlat,
        Self::DoubleTree,
        Self::DoubleByContent,
        Self::DoubleCanonical,
    ];

    /// What the app wrote in this shape for a scene of a project; for [`Shape::Output`] the scene does not matter.
    pub(super) fn files(self, project: &Project, scene: &str) -> Vec<File> {
        let Project { id, user, .. } = project;
        match self {
            Self::Canonical => scene_files(&format!("users/{user}/projects/{id}/scenes/{scene}"), scene),
            Self::DoubleCanonical => {
                scene_files(&format!("users/{user}/projects/{}/scenes/{scene}", project.doubled()), scene)
            }
            Self::Output => ["final_video.mp4", "poster.jpg"]
                .map(|name| File::new(format!("users/{user}/projects/{id}/output/{name}"), None, "media"))
                .into(),
            Self::Tree => tree_files(&project.prefixed(), scene),
            Self::DoubleTree => tree_files(&project.doubled(), scene),
            Self::ByContent => content_files(&project.prefixed(), scene),
            Self::DoubleByContent => content_files(&project.doubled(), scene),
            Self::Flat => flat_files(&project.prefixed(), scene),
            Self::DoubleFlat => flat_files(&project.doubled(), scene),
        }
    }
}

/// One file that the app wrote.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) key: String,
    pub(super) scene: Option<String>,
    pub(super) file_type: &'static str,
}

impl File {
    pub(super) fn new(key: String, scene: Option<&str>, file_type: &'static str) -> Self {
        Self { key, scene: scene.map(str::to_owned), file_type }
    }
}

fn scene_files(folder: &str, scene: &str) -> Vec<File> {
    [
        ("audio", "narration.mp3"),
        ("video", "clip.mp4"),
        ("media", "background.jpg"),
        ("media", "captions.txt"),
        ("media", "script.json"),
    ]
    .map(|(file_type, name)| File::new(format!("{folder}/{file_type}/{name}"), Some(scene), file_type))
    .into()
}

fn tree_files(id: &str, scene: &str) -> Vec<File> {
    ["background.png", "voiceover.mp3", "clip.mp4"]
        .map(|name| File::new(format!("projects/{id}/scenes/{scene}/media/{name}"), Some(scene), "media"))
        .into()
}

fn content_files(id: &str, scene: &str) -> Vec<File> {
    [("audio", "narration.mp3"), ("video", "clip.mp4"), ("media", "image.jpg"), ("thumbnails", "thumbnail.png")]
        .map(|(file_type, name)| File::new(format!("{file_type}/{id}/{scene}/{name}"), Some(scene), file_type))
        .into()
}

fn flat_files(id: &str, scene: &str) -> Vec<File> {
    [("media", "mp4"), ("audio", "mp3")]
        .map(|(file_type, ending)| File::new(format!("{id}_{scene}_{file_type}.{ending}"), Some(scene), file_type))
        .into()
}
