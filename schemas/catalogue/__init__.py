"""The catalogue: instant messaging services, process classes, suspicious locations and scripting engines, as data."""

from schemas.catalogue.load import load_catalogue as load_catalogue
from schemas.catalogue.model import AddressRange as AddressRange
from schemas.catalogue.model import Catalogue as Catalogue
from schemas.catalogue.model import Engine as Engine
from schemas.catalogue.model import Host as Host
from schemas.catalogue.model import ProcessClass as ProcessClass
from schemas.catalogue.model import SecretDetector as SecretDetector
from schemas.catalogue.model import SecretPattern as SecretPattern
from schemas.catalogue.model import Service as Service
