"""What the bridge refuses."""

from app.core.errors import NotFound, Refusal, Texts


class SourceUnknown(NotFound):
    """There is no such source, or none that the caller may know of."""

    code = "erp_bridge.source_unknown"
    texts = Texts("没有找到数据源", "There is no such source.")


class RunUnknown(NotFound):
    """There is no such run, or it was quiet and has been forgotten."""

    code = "erp_bridge.run_unknown"
    texts = Texts("没有找到这次同步", "There is no such run.")


class MatchUnknown(NotFound):
    """Nothing of this source waits, or was decided, under this id."""

    code = "erp_bridge.match_unknown"
    texts = Texts("没有找到待匹配项", "There is no such match.")


class MatchSettled(Refusal):
    """It no longer needs anybody: the ERP or the company has changed meanwhile."""

    status = 409
    code = "erp_bridge.match_settled"
    texts = Texts("该项已无需匹配", "This no longer needs to be matched.")


class SourceNameTaken(Refusal):
    """Another source of the company has this name."""

    status = 409
    code = "erp_bridge.source_name_taken"
    texts = Texts("数据源名称已被使用", "This name is taken by another source.")


class SourceUnreachable(Refusal):
    """The source's secrets cannot be read with the key of this installation."""

    status = 409
    code = "erp_bridge.secrets_unreadable"
    texts = Texts(
        "数据源凭据无法解密，请重新填写",
        "The source's credentials cannot be read; enter them again.",
    )


class NotADropFolder(Refusal):
    """The source reads no folder that files may be sent to over the API."""

    status = 409
    code = "erp_bridge.not_a_drop_folder"
    texts = Texts("该数据源不接收上传的文件", "This source takes no uploaded files.")


class DropFolderFull(Refusal):
    """The folder holds as many files as it may; old ones must go first."""

    status = 409
    code = "erp_bridge.drop_folder_full"
    texts = Texts("文件夹已满，请先清理旧文件", "The folder is full; remove old files first.")
