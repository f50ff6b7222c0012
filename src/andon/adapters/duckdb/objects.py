"""Bytes of a log's files, on a disk or in object storage that speaks S3."""

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from andon.base.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

SCHEME = "s3://"
_UNREACHABLE = ("NETWORK_CONNECTION", "Could not connect", "Could not resolve", "Timeout", "timed out", "SLOW_DOWN")
_CONNECT_SECONDS, _REQUEST_SECONDS, _ATTEMPTS = 5, 60, 3


class Storage:
    """Opens files by path or by `s3://bucket/key`; credentials come from where the AWS tools take them."""

    def __init__(self, endpoint: str | None = None) -> None:
        """Take the URL of an S3 server other than Amazon's."""
        self._endpoint = endpoint

    def open(self, path: str) -> BinaryIO:
        """The bytes of a file."""
        if path.startswith(SCHEME):
            return cast("BinaryIO", self.s3.open(path, "rb"))
        return Path(path).open("rb")

    def size(self, path: str) -> int:
        """Length in bytes."""
        return int(self.s3.size(path)) if path.startswith(SCHEME) else Path(path).stat().st_size

    def list(self, url: str) -> list[str]:
        """The objects at a prefix, or the one object of that name; sorted.

        Raises:
            BadInput: there is no such bucket or object, or it may not be read.
            Unavailable: the store does not answer.
        """
        bucket, _, key = url.removeprefix(SCHEME).rstrip("/").partition("/")
        if not bucket or "?" in url:
            raise BadInput(f"{url} names no bucket and prefix: write it like s3://bucket/prefix")
        try:
            if key and self.s3.isfile(f"{bucket}/{key}"):
                return [f"{SCHEME}{bucket}/{key}"]
            from pyarrow.fs import FileSelector  # noqa: PLC0415

            found = self.s3.fs.get_file_info(FileSelector(f"{bucket}/{key}".rstrip("/"), recursive=True))
            return sorted(f"{SCHEME}{each.path}" for each in found if each.is_file)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self.trouble(url, str(error)) from None

    def trouble(self, place: str, message: str) -> BadInput | Unavailable:
        """What an error of the store means for a person."""
        if any(sign in message for sign in _UNREACHABLE):
            where = self._endpoint or "the object store"
            return Unavailable(
                f"cannot reach {where} for {place}: check the network, or AWS_ENDPOINT_URL and AWS_REGION"
            )
        if "NO_SUCH_BUCKET" in message:
            return BadInput(f"there is no bucket for {place}: check its name, and AWS_ENDPOINT_URL and AWS_REGION")
        if re.search(r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE|HTTP response code 40[13]|credentials", message):
            return BadInput(
                f"you may not read {place}: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        return BadInput(f"cannot read {place}: the object store refuses it; check the name and your permissions")

    @cached_property
    def s3(self) -> "AbstractFileSystem":
        """The object store, as DuckDB takes it."""
        from fsspec.implementations.arrow import ArrowFSWrapper  # noqa: PLC0415  # only who reads from S3 waits for it
        from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem  # noqa: PLC0415

        class S3(ArrowFSWrapper):  # type: ignore[misc]  # fsspec ships no types
            protocol = "s3"

            @classmethod
            def _strip_protocol(cls, path: Any) -> Any:
                return path.removeprefix(SCHEME) if isinstance(path, str) else path

        arguments: dict[str, Any] = {} if self._endpoint is None else {"endpoint_override": self._endpoint}
        try:
            store = S3FileSystem(
                connect_timeout=_CONNECT_SECONDS,
                request_timeout=_REQUEST_SECONDS,
                retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
                **arguments,
            )
        except OSError as error:
            raise self.trouble(SCHEME, str(error)) from None
        return cast("AbstractFileSystem", S3(store, skip_instance_cache=True))
