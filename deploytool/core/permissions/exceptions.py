"""Published permissions that a resource needs only with a certain property. Pure.

A schema publishes the permissions for every property of its type. Each row below names the property
that needs the actions: a resource that does not set it does not need them. (Our reading of the
names, of the API reference of each action, and of the Service Authorization Reference.)
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tied:
    """Actions that a type needs only for resources that set one property (`usage.uses`)."""

    kind: str
    property: str
    actions: frozenset[str]


def _tied(kind: str, path: str, actions: Iterable[str]) -> Tied:
    service = ""
    full: set[str] = set()
    for action in actions:
        # A name without its service has the one of the name before it.
        if ":" in action:
            service = action.partition(":")[0]
            full.add(action)
        else:
            full.add(f"{service}:{action}")
    return Tied(kind, path, frozenset(full))


_BUCKET = "AWS::S3::Bucket"
_FUNCTION = "AWS::Lambda::Function"
_LOG_GROUP = "AWS::Logs::LogGroup"
_ZONE = "AWS::Route53::HostedZone"
_ROLE = "AWS::IAM::Role"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
_CERTIFICATE = "AWS::CertificateManager::Certificate"

TIED: tuple[Tied, ...] = (
    # --- API Gateway
    _tied("AWS::ApiGateway::RestApi", "Policy", ["apigateway:UpdateRestApiPolicy"]),
    _tied("AWS::ApiGateway::RestApi", "Body", ["iam:PassRole"]),
    _tied("AWS::ApiGateway::RestApi", "BodyS3Location", ["s3:GetObject", "iam:PassRole"]),
    _tied("AWS::ApiGateway::Method", "Integration.Credentials", ["iam:PassRole"]),
    _tied("AWS::ApiGatewayV2::Api", "BodyS3Location", ["s3:getObject"]),
    _tied("AWS::ApiGatewayV2::Integration", "CredentialsArn", ["iam:PassRole"]),
    _tied(
        "AWS::ApiGatewayV2::DomainName",
        "MutualTlsAuthentication",
        ["s3:GetObject", "GetObjectVersion"],
    ),
    # --- Certificates
    _tied(_CERTIFICATE, "CertificateAuthorityArn", ["acm-pca:IssueCertificate", "GetCertificate"]),
    _tied(
        _CERTIFICATE,
        "CertificateTransparencyLoggingPreference",
        ["acm:UpdateCertificateOptions"],
    ),
    # --- EC2
    _tied(
        "AWS::EC2::Subnet",
        "Ipv6CidrBlock",
        ["ec2:AssociateSubnetCidrBlock", "DisassociateSubnetCidrBlock"],
    ),
    _tied("AWS::EC2::VPC", "VpcEncryptionControl", ["ec2:CreateVpcEncryptionControl"]),
    _tied("AWS::EC2::VPC", "InstanceTenancy", ["ec2:ModifyVpcTenancy"]),
    _tied(
        _ENDPOINT,
        "ServiceNetworkArn",
        ["vpc-lattice:CreateServiceNetworkVpcEndpointAssociation"],
    ),
    _tied(_ENDPOINT, "ServiceRegion", ["vpce:AllowMultiRegion"]),
    # --- EventBridge
    _tied("AWS::Events::Rule", "RoleArn", ["iam:PassRole"]),
    _tied("AWS::Events::Rule", "Targets.RoleArn", ["iam:PassRole"]),
    # --- IAM
    _tied(_ROLE, "ManagedPolicyArns", ["iam:AttachRolePolicy", "DetachRolePolicy"]),
    # --- Lambda
    _tied(
        _FUNCTION,
        "ReservedConcurrentExecutions",
        ["lambda:PutFunctionConcurrency", "DeleteFunctionConcurrency"],
    ),
    _tied(_FUNCTION, "Code.S3ObjectVersion", ["s3:GetObjectVersion"]),
    _tied(
        _FUNCTION,
        "FileSystemConfigs",
        ["elasticfilesystem:DescribeMountTargets", "s3files:ListMountTargets"],
    ),
    _tied(
        _FUNCTION,
        "KmsKeyArn",
        ["kms:CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"],
    ),
    _tied(_FUNCTION, "Code.SourceKMSKeyArn", ["kms:Decrypt", "GenerateDataKey"]),
    _tied(
        _FUNCTION,
        "CodeSigningConfigArn",
        [
            "lambda:GetCodeSigningConfig",
            "PutFunctionCodeSigningConfig",
            "DeleteFunctionCodeSigningConfig",
        ],
    ),
    _tied(_FUNCTION, "Layers", ["lambda:GetLayerVersion"]),
    _tied(_FUNCTION, "RuntimeManagementConfig", ["lambda:PutRuntimeManagementConfig"]),
    _tied(_FUNCTION, "RecursiveLoop", ["lambda:PutFunctionRecursionConfig"]),
    _tied(_FUNCTION, "FunctionScalingConfig", ["lambda:PutFunctionScalingConfig"]),
    _tied(_FUNCTION, "PublishToLatestPublished", ["lambda:PublishVersion"]),
    _tied(_FUNCTION, "CapacityProviderConfig", ["lambda:PassCapacityProvider"]),
    # --- Logs
    _tied(
        _LOG_GROUP,
        "DataProtectionPolicy",
        [
            "logs:PutDataProtectionPolicy",
            "DeleteDataProtectionPolicy",
            "CreateLogDelivery",
            "firehose:TagDeliveryStream",
        ],
    ),
    _tied(_LOG_GROUP, "FieldIndexPolicies", ["logs:PutIndexPolicy", "DeleteIndexPolicy"]),
    _tied(_LOG_GROUP, "ResourcePolicyDocument", ["logs:PutResourcePolicy", "DeleteResourcePolicy"]),
    _tied(_LOG_GROUP, "BearerTokenAuthenticationEnabled", ["logs:PutBearerTokenAuthentication"]),
    _tied(_LOG_GROUP, "DeletionProtectionEnabled", ["logs:PutLogGroupDeletionProtection"]),
    _tied(_LOG_GROUP, "KmsKeyId", ["logs:AssociateKmsKey", "DisassociateKmsKey"]),
    # --- Route 53
    _tied(
        "AWS::Route53::HealthCheck",
        "HealthCheckConfig.RoutingControlArn",
        ["route53-recovery-control-config:DescribeRoutingControl"],
    ),
    _tied(
        _ZONE,
        "QueryLoggingConfig",
        ["route53:CreateQueryLoggingConfig", "DeleteQueryLoggingConfig"],
    ),
    _tied(
        _ZONE,
        "VPCs",
        ["route53:AssociateVPCWithHostedZone", "DisassociateVPCFromHostedZone", "ec2:DescribeVpcs"],
    ),
    # --- S3. What reads a configuration is needed whether or not it is set.
    _tied(_BUCKET, "AbacStatus", ["s3:PutBucketAbac"]),
    _tied(_BUCKET, "AccelerateConfiguration", ["s3:PutAccelerateConfiguration"]),
    _tied(_BUCKET, "AccessControl", ["s3:PutBucketAcl", "GetBucketAcl", "PutObjectAcl"]),
    _tied(_BUCKET, "AnalyticsConfigurations", ["s3:PutAnalyticsConfiguration"]),
    _tied(_BUCKET, "CorsConfiguration", ["s3:PutBucketCORS"]),
    _tied(_BUCKET, "IntelligentTieringConfigurations", ["s3:PutIntelligentTieringConfiguration"]),
    _tied(_BUCKET, "InventoryConfigurations", ["s3:PutInventoryConfiguration"]),
    _tied(_BUCKET, "LoggingConfiguration", ["s3:PutBucketLogging"]),
    _tied(_BUCKET, "MetricsConfigurations", ["s3:PutMetricsConfiguration"]),
    _tied(_BUCKET, "NotificationConfiguration", ["s3:PutBucketNotification"]),
    _tied(_BUCKET, "ObjectLockConfiguration", ["s3:PutBucketObjectLockConfiguration"]),
    _tied(_BUCKET, "ObjectLockEnabled", ["s3:PutBucketObjectLockConfiguration"]),
    _tied(
        _BUCKET,
        "ReplicationConfiguration",
        ["s3:PutReplicationConfiguration", "DeleteObject", "iam:PassRole"],
    ),
    _tied(_BUCKET, "WebsiteConfiguration", ["s3:PutBucketWebsite", "DeleteBucketWebsite"]),
    *(
        _tied(
            _BUCKET,
            configuration,
            [
                "s3:CreateBucketMetadataTableConfiguration",
                "DeleteBucketMetadataTableConfiguration",
                "UpdateBucketMetadataJournalTableConfiguration",
                "UpdateBucketMetadataInventoryTableConfiguration",
                "UpdateBucketMetadataAnnotationTableConfiguration",
                "s3tables:CreateNamespace",
                "CreateTable",
                "CreateTableBucket",
                "GetTable",
                "GetTableMetadataLocation",
                "PutTableBucketPolicy",
                "PutTableEncryption",
                "PutTablePolicy",
                "UpdateTableMetadataLocation",
            ],
        )
        for configuration in ("MetadataConfiguration", "MetadataTableConfiguration")
    ),
)

# Type -> actions that no role gets, although they are published.
WITHHELD = {
    # The boundary of a role is never taken away: that would lift every limit.
    _ROLE: frozenset({"iam:DeleteRolePermissionsBoundary"}),
}

# Type -> actions that only a resource without `DeletionPolicy: Retain` needs.
FOR_DELETION = {
    _ZONE: frozenset({"route53:DeleteHostedZone"}),
}
