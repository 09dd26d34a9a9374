"""Alerts by SMTP, with TLS verified, a timeout, and no password sent in the clear."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.message import EmailMessage

from pydantic import SecretStr

from pipeline.errors import ChannelError
from pipeline.model import Alert
from pipeline.render.mail import compose
from pipeline.settings import Mail


class EmailChannel:
    """Sends each alert to the configured addresses."""

    name = "email"

    def __init__(
        self, mail: Mail, password: SecretStr | None, *, zone: str, context: ssl.SSLContext | None = None,
        routes: Mapping[str, Sequence[str]] | None = None,
    ) -> None:  # fmt: skip
        """`context` replaces the default TLS settings, for a server with its own authority; `routes` are their addresses."""
        self._mail, self._password, self._zone = mail, password, zone
        self._routes = routes or {}
        self._context = context

    def send(self, alert: Alert) -> None:
        """Send one alert. Raises ChannelError: permanent on a 5xx answer, to be tried again otherwise."""
        to = tuple(self._routes.get(alert.route, self._mail.to))
        self.deliver(compose(alert, sender=self._mail.sender, to=to, zone=self._zone), to)

    def deliver(self, message: EmailMessage, to: Sequence[str]) -> str:
        """Send a finished message and return the server's answer. Raises ChannelError."""
        mail = self._mail
        where = f"{mail.host}:{mail.port}"
        if self._password is not None and mail.user and mail.security == "none":
            raise ChannelError(
                f"{where}: a password is set but mail.security is none; set starttls or tls", permanent=False
            )
        context = self._context or ssl.create_default_context()
        timeout = mail.timeout.total_seconds()
        greeted = False  # what goes wrong before is the server's or the setting's fault, and another try may help
        try:
            if mail.security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=timeout, context=context)
            else:
                server = smtplib.SMTP(mail.host, mail.port, timeout=timeout)
            with server:
                if mail.security == "starttls":
                    server.starttls(context=context)
                if mail.user and self._password is not None:
                    server.login(mail.user, self._password.get_secret_value())
                greeted = True
                refused = server.send_message(message, from_addr=mail.sender, to_addrs=list(to))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise ChannelError(
                f"{where}: every recipient was refused ({codes[0]})", permanent=min(codes) >= 500
            ) from error
        except smtplib.SMTPResponseException as error:
            words = (
                error.smtp_error.decode("utf-8", "replace")
                if isinstance(error.smtp_error, bytes)
                else str(error.smtp_error)
            )
            raise ChannelError(
                f"{where}: answered {error.smtp_code} {words[:120]}", permanent=greeted and error.smtp_code >= 500
            ) from error
        except ssl.SSLError as error:
            raise ChannelError(f"{where}: its certificate cannot be trusted ({error.reason})") from error
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelError(f"{where}: {error.__class__.__name__}: {str(error)[:120]}") from error
        if refused:
            raise ChannelError(f"{where}: refused {', '.join(sorted(refused))}; the others have it", permanent=True)
        return f"{where} accepted the message for {', '.join(to)}"
