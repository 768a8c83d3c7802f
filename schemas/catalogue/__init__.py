"""The catalogue: instant messaging services, process classes, suspicious locations and scripting engines, as data."""

from uncommon_im.schemas.catalogue.load import load_catalogue as load_catalogue
from uncommon_im.schemas.catalogue.model import AddressRange as AddressRange
from uncommon_im.schemas.catalogue.model import Catalogue as Catalogue
from uncommon_im.schemas.catalogue.model import Engine as Engine
from uncommon_im.schemas.catalogue.model import Host as Host
from uncommon_im.schemas.catalogue.model import ProcessClass as ProcessClass
from uncommon_im.schemas.catalogue.model import Service as Service
from uncommon_im.schemas.catalogue.secrets import SecretDetector as SecretDetector
from uncommon_im.schemas.catalogue.secrets import SecretPattern as SecretPattern
