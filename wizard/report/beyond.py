"""The page "beyond ashore": what comes after the data is safe. General advice, never done by ashore."""

from __future__ import annotations

BEYOND: tuple[tuple[str, str], ...] = (
    (
        "Connection pooling",
        "Each worker of the app holds its own connections, and small databases allow few. Where the "
        "provider offers a pooled address, the running app may use it; migrations keep the direct one. In "
        "Django set CONN_MAX_AGE to a minute or so, and leave it at 0 behind a transaction pooler.",
    ),
    (
        "Caching",
        "A page or query that many people ask for and few change need not reach the database each time. "
        "Begin with HTTP cache headers and the framework's own cache; a server for it comes later.",
    ),
    (
        "A CDN for files",
        "Public files are best read through a content delivery network in front of the bucket: quicker for "
        "visitors and cheaper in traffic. Private files stay behind signed links, which last for a limited "
        "time.",
    ),
    (
        "Image compression",
        "Photos from phones are larger than a page needs. Make smaller versions when they are uploaded, in "
        "WebP or AVIF, and keep the original.",
    ),
    (
        "Monitoring",
        "Let something outside look at the app every minute and tell you when it does not answer. Watch the "
        "database's size against its plan's limit, the slowest queries, and the number of connections.",
    ),
    (
        "Backups of the new place",
        "A managed database is backed up for as long as its plan says; read how long that is, and restore a "
        "backup once to know that it works. `ashore backup` keeps a copy of your own.",
    ),
)
