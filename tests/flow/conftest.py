"""What flow tests of the server's routes share: each brings a `house` of its own."""

import pytest

from houses import client_of


@pytest.fixture
def client(house):
    """Who asks it."""
    with client_of(house) as made:
        yield made
